package config

import (
	"fmt"
	"strings"
)

// Markdown is the table of all keys, for the README.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Key | Default | Meaning |\n| --- | --- | --- |\n")
	for _, k := range schema {
		def := ""
		if k.def != "" {
			def = "`" + k.def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, def, k.meaning)
	}
	return b.String()
}
