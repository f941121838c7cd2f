package scopes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// maxDepth is more than any of these documents needs.
const maxDepth = 8

// oneMeaning returns an error unless each field of a JSON document is there once and as it is written in the documentation. The library takes the last
// of two and any case, so that whoever looks a document over could read something else than what is made of it. What is no JSON is left to the library to say.
func oneMeaning(document []byte) error {
	err := fields(json.NewDecoder(bytes.NewReader(document)), 0)
	if errors.Is(err, errNoJSON) {
		return nil
	}
	return err
}

var errNoJSON = errors.New("is no JSON")

func fields(in *json.Decoder, depth int) error {
	open, err := in.Token()
	if err != nil {
		return errNoJSON
	}
	if open != json.Delim('{') && open != json.Delim('[') {
		return nil
	}
	if depth == maxDepth {
		return errors.New("is nested too deeply")
	}
	seen := map[string]bool{}
	for in.More() {
		if open == json.Delim('{') {
			key, err := in.Token()
			name, ok := key.(string)
			switch {
			case err != nil || !ok:
				return errNoJSON
			case seen[name]:
				return fmt.Errorf("has %.60q twice", name)
			case name != strings.ToLower(name):
				return fmt.Errorf("has %.60q, and fields are written in lower case", name)
			}
			seen[name] = true
		}
		if err := fields(in, depth+1); err != nil {
			return err
		}
	}
	if _, err := in.Token(); err != nil {
		return errNoJSON
	}
	return nil
}
