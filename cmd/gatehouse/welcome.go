package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"gatehouse/config"
)

// welcome prints what somebody who has just started the registry needs next. Logs go elsewhere (standard error).
func welcome(w io.Writer, cfg *config.Config, r *registry) {
	base := r.local
	if cfg.Server.URL != "" {
		base = cfg.Server.URL
	}
	open := cfg.Auth.Type == config.AuthNone
	namespace := "OWNER"
	if len(cfg.Auth.GitHub.Orgs) > 0 {
		namespace = strings.ToLower(cfg.Auth.GitHub.Orgs[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "gatehouse %s listens on %s (%s)\n\n", version, base, r.listener.Addr())
	if open {
		b.WriteString("WARNING: auth.type is none. Everybody who can reach this address may install, publish and change everything.\n\n")
	}
	b.WriteString("To use it, put into .npmrc:\n\n")
	lines := npmrc(namespace, base, "YOUR_GITHUB_TOKEN")
	if open {
		lines = npmrc(namespace, base, "anything") // npm does not publish without a token, whatever it is
	}
	b.WriteString(indent(lines...))
	if namespace == "OWNER" {
		b.WriteString("\nOWNER is the GitHub account that owns the packages' repositories.\n")
	}
	if !open {
		fmt.Fprintf(&b, "\nA token: https://%s/settings/tokens (classic, scope \"repo\"; or fine-grained, \"Contents\": read to install, write to publish)\n", cfg.Auth.GitHub.Host)
	}
	if !open && len(cfg.Auth.GitHub.Orgs) == 0 {
		b.WriteString("\nauth.github.orgs is not set: everybody with a GitHub account who reaches this address may publish packages of their own\nrepositories. List your owners there before others can reach it.\n")
	}
	fmt.Fprintf(&b, "\nData: metadata in %s, tarballs in %s\nCtrl-C stops it.\n", absolute(cfg.Metadata.LevelDB.Path), where(cfg))
	_, _ = io.WriteString(w, b.String())
}

// npmrc is the two lines that make npm use a registry for one namespace.
func npmrc(namespace, base, token string) []string {
	_, key, _ := strings.Cut(base, ":")
	return []string{"@" + namespace + ":registry=" + base, key + ":_authToken=" + token}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
