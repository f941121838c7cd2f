package config

import (
	"fmt"
	"strings"
)

// Error is everything that is wrong with the configuration.
type Error struct {
	Problems []Problem
}

// Problem is one mistake.
type Problem struct {
	Where   string // the file and line, the variable or the flag
	Message string // what is wrong, without Where
}

func (p Problem) Error() string {
	if p.Where == "" {
		return p.Message
	}
	return p.Where + ": " + p.Message
}

// Error returns one line per problem, under a line that counts them if there are several.
func (e *Error) Error() string {
	if len(e.Problems) == 1 {
		return e.Problems[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d mistakes:", len(e.Problems))
	for _, p := range e.Problems {
		b.WriteString("\n  ")
		b.WriteString(p.Error())
	}
	return b.String()
}

// Unwrap gives errors.Is and errors.As the single problems.
func (e *Error) Unwrap() []error {
	errs := make([]error, len(e.Problems))
	for i, p := range e.Problems {
		errs[i] = p
	}
	return errs
}
