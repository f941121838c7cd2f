//go:build !race

package server_test

import "time"

const (
	// answerWithin is what an edit may take.
	answerWithin = time.Second
	// escapes is how many of them are sent: 30 MiB.
	escapes = 5 << 20
)
