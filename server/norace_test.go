//go:build !race

package server_test

import "time"

// answerWithin is what an edit may take.
const answerWithin = time.Second
