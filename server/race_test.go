//go:build race

package server_test

import "time"

// answerWithin is what an edit may take with the race detector, which makes a scan many times slower.
const answerWithin = 10 * time.Second
