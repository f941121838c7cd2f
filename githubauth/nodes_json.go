package githubauth

import (
	"bytes"
	"encoding/json"
)

// nodesOrViewer is a member of a nodes query's data: a list of repositories, or the viewer.
type nodesOrViewer struct {
	nodes  []*node
	viewer viewer
}

func (n *nodesOrViewer) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, &n.nodes)
	}
	return json.Unmarshal(b, &n.viewer)
}
