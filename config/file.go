package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"
)

const (
	fileName     = "gatehouse.yaml"
	largestInput = 1 << 20 // of a configuration file or a secret's file
)

// fileLayer is what the configuration file says.
func (l *loader) fileLayer() layer {
	out := layer{}
	name, data, found := l.findFile()
	if !found {
		return out
	}
	l.cfg.origin.file = name
	root, where, err := parseYAML(name, data)
	if err != nil {
		l.report(where, err.Error())
		return out
	}
	if root != nil {
		w := &walker{loader: l, file: name, out: out, lines: map[string]int{}, sections: sections(l.schema)}
		w.mapping(root, "")
	}
	return out
}

// findFile reads the first configuration file there is. One that is there and can't be read is a problem,
// not a reason to look further.
func (l *loader) findFile() (name string, data []byte, found bool) {
	candidates := []string{l.inDir(fileName)}
	for _, dir := range []string{l.UserConfigDir, l.SystemDir} {
		if dir != "" {
			candidates = append(candidates, filepath.Join(dir, "gatehouse", fileName))
		}
	}
	named, isNamed := namedFile(l.Flags)
	if isNamed {
		if named == "" {
			l.report("--"+configFlag, "must name a file")
			return "", nil, false
		}
		candidates = []string{l.inDir(named)}
	}
	for _, name := range candidates {
		data, err := readFile(name)
		switch {
		case err == nil:
			return name, data, true
		case isNamed:
			l.report("--"+configFlag, fmt.Sprintf("%s can't be read: %v", named, err))
		case !l.absent(name, err):
			l.report(name, "can't be read: "+err.Error())
			return "", nil, false
		}
	}
	return "", nil, false
}

// absent reports whether an error means that there is no such file. A home that this user can't even enter
// (HOME is left over from another user, or is /dev/null) holds nothing for it.
func (l *loader) absent(name string, err error) bool {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return true
	}
	if l.UserConfigDir == "" || !inside(name, filepath.Clean(l.UserConfigDir)) {
		return false
	}
	_, err = os.Stat(name)
	return errors.Is(err, fs.ErrPermission)
}

// inDir is the path as seen from the working directory.
func (l *loader) inDir(path string) string {
	if l.Dir == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.Dir, path)
}

// readFile reads a small file. Its errors don't repeat the path.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, largestInput+1))
	if err != nil {
		return nil, withoutPath(err)
	}
	if len(data) > largestInput {
		return nil, fmt.Errorf("the file is larger than %s", formatSize(largestInput))
	}
	return data, nil
}

func withoutPath(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

var yamlComplaint = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// parseYAML returns the root mapping, nil if the file says nothing. An error comes with its place.
func parseYAML(name string, data []byte) (root *yaml.Node, where string, err error) {
	var doc, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err = decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil, "", nil
	}
	if err == nil {
		if again := decoder.Decode(&more); again == nil {
			return nil, fmt.Sprintf("%s:%d", name, more.Line), errors.New("the file must hold one YAML document, and here a second one starts")
		} else if !errors.Is(again, io.EOF) {
			err = again
		}
	}
	if err != nil {
		m := yamlComplaint.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
		if m == nil {
			return nil, name, fmt.Errorf("this is not valid YAML: %w", err)
		}
		near := "" // the parser's lines are off by one for some mistakes
		if m[1] != "" {
			near = " near line " + m[1]
		}
		return nil, name, errors.New("this is not valid YAML" + near + ": " + m[2])
	}
	root = doc.Content[0]
	if isNull(root) {
		return nil, "", nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Sprintf("%s:%d", name, root.Line), errors.New(`the file must hold keys with values, such as "server:"`)
	}
	return root, "", nil
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
