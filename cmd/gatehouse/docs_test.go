package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documents are the files that a newcomer reads, relative to the root of the repository.
func documents(t *testing.T, root string) []string {
	t.Helper()
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no docs: %v", err)
	}
	return append(docs, filepath.Join(root, "README.md"), filepath.Join(root, "CHANGELOG.md"), filepath.Join(root, "CONTRIBUTING.md"))
}

var (
	mdFence   = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	mdLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdHeading = regexp.MustCompile(`(?m)^#{1,6} +(.+)$`)
	notAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors are the fragments that GitHub makes of the headings of a document: lower case, punctuation left out, spaces as hyphens, and a number on a
// heading that was there before.
func anchors(text string) []string {
	var found []string
	seen := map[string]int{}
	for _, heading := range mdHeading.FindAllStringSubmatch(mdFence.ReplaceAllString(text, ""), -1) {
		anchor := strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading[1])), ""), " ", "-")
		n := seen[anchor]
		seen[anchor]++
		if n > 0 {
			anchor += "-" + string(rune('0'+n))
		}
		found = append(found, anchor)
	}
	return found
}

func TestAnchors(t *testing.T) {
	got := anchors("# GitHub's webhook\n```sh\n# not one\n```\n## `npm owner`, and 4.2\n## Clients\n### Clients\n")
	if want := []string{"githubs-webhook", "npm-owner-and-42", "clients", "clients-1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A link of the documentation that leads nowhere fails here: to a file that is not there, or to a heading that a document does not have. Addresses on the
// web are not asked.
func TestDocumentationLinks(t *testing.T) {
	root := filepath.Join("..", "..")
	links := 0
	for _, doc := range documents(t, root) {
		text, err := os.ReadFile(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range mdLink.FindAllStringSubmatch(mdFence.ReplaceAllString(string(text), ""), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			links++
			path, fragment, _ := strings.Cut(link[1], "#")
			target := doc
			if path != "" {
				target = filepath.Join(filepath.Dir(doc), filepath.FromSlash(path))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", doc, link[1])
				continue
			}
			if fragment == "" {
				continue
			}
			body, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s links into %s, which is no document", doc, link[1])
			} else if !slices.Contains(anchors(string(body)), fragment) {
				t.Errorf("%s links to %s, a heading that is not there", doc, link[1])
			}
		}
	}
	if links == 0 {
		t.Error("no link was found: the test reads nothing")
	}
}

// Every document in docs can be reached from the README.
func TestReadmeNamesEveryDocument(t *testing.T) {
	root := filepath.Join("..", "..")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(docs) == 0 {
		t.Fatalf("no docs: %v", err)
	}
	for _, doc := range docs {
		if name := "docs/" + filepath.Base(doc); !strings.Contains(string(readme), "]("+name) {
			t.Errorf("the README does not link to %s", name)
		}
	}
}
