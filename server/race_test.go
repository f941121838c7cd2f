//go:build race

package server_test

import "time"

const (
	// answerWithin is what an edit may take with the race detector, which makes a scan many times slower.
	answerWithin = 10 * time.Second
	// escapes is how many of them are sent, which is slowest of all.
	escapes = 1 << 19
)
