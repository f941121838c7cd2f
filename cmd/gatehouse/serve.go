package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/githubauth"
	"gatehouse/scopes"
	"gatehouse/server"
	"gatehouse/server/gate"
	"gatehouse/server/npm"
	"gatehouse/server/operator"
	"gatehouse/server/people"
	"gatehouse/store"
	"gatehouse/store/tokens"
)

func runServe(cmd *cobra.Command, _ []string) error {
	cfg, err := config.Load(config.Process(cmd.Flags()))
	if err != nil {
		return err
	}
	log, end := newLog(cfg, cmd.ErrOrStderr())
	defer end()
	return serve(cmd.Context(), cfg, log, func(r *registry) { welcome(cmd.OutOrStdout(), cfg, r) })
}

// registry is what runs.
type registry struct {
	listener net.Listener
	local    string // the address for somebody on this machine, ending in a slash
	desk     *operator.Server
	metrics  metrics
}

// serve runs a registry until ctx ends. started is called when it answers. Whatever can be found wrong before anything is created
// is: the port first, then the folders, then a storage that is elsewhere.
func serve(ctx context.Context, cfg *config.Config, log *slog.Logger, started func(*registry)) (err error) {
	listener, err := listen(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	counts, err := newMetrics(cfg)
	if err != nil {
		return err
	}
	defer counts.close()
	if err := usable(cfg.Metadata.LevelDB.Path); err != nil {
		return fmt.Errorf("metadata.leveldb.path: %w", err)
	}
	if answers := cfg.Auth.GitHub.Cache.Path; cfg.Auth.Type != config.AuthNone && answers != "" {
		if err := usable(answers); err != nil {
			return fmt.Errorf("auth.github.cache.path: %w", err)
		}
	}
	blobs := newStorage(cfg, cfg.Storage.Type, log)
	if err := blobs.reach(ctx); err != nil {
		return err
	}

	// What is stored is for this user only, also in a folder that others can look into, as mounted ones often are.
	syscall.Umask(0o077)
	meta, err := openMetadata(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, meta.Close()) }()
	if err := blobs.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, blobs.close()) }()
	packages, err := store.Open(ctx, meta, blobs.Store, store.Options{})
	if err != nil {
		return err
	}
	// This process has the data to itself (LevelDB's lock), so every upload that is not committed is one that a crash cut off. A bucket
	// that is slower to store the last bytes of a dead sender than we are to start keeps an object that nothing names, and no harm is done.
	if n, err := packages.Sweep(ctx, true); err != nil {
		log.Error("what publishes left that a crash cut off could not be removed; it will be tried again", "error", err)
	} else if n > 0 {
		log.Info("removed what publishes left that a crash cut off", "uploads", n)
	}

	// Which packages are bound to which repositories is read now, and not when the first caller asks: it takes a while where there are many.
	var index sync.WaitGroup
	index.Go(func() {
		if _, err := packages.Repositories(ctx); err != nil {
			log.Warn("the bindings cannot be read now; it will be tried again", "error", err)
		}
	})
	defer index.Wait()

	own, err := tokens.New(meta, packages, tokens.Options{})
	if err != nil {
		return err
	}
	desk, err := operator.Listen(cfg.Metadata.LevelDB.Path, &operator.Desk{
		Store: packages, Blobs: blobs.Store, Own: own, Version: version, Host: cfg.Auth.GitHub.Host, Roles: roles(cfg),
	}, log)
	if err != nil {
		log.Warn("commands of the operator cannot reach this registry, and will need it to be stopped", "error", err)
	}
	if desk != nil {
		defer func() { err = errors.Join(err, desk.Close()) }()
	}

	github, done, err := newGitHub(ctx, cfg, packages, counts, log)
	if err != nil {
		return err
	}
	defer done()
	protocol, err := protocolOptions(cfg, packages, blobs, github)
	if err != nil {
		return err
	}
	logins, err := newLogins(cfg, meta, own)
	if err != nil {
		return err
	}
	if !protocol.Gate.Open() {
		protocol.Gate.UseTokens(logins).UseAdmissions(packages)
		protocol.Tokens = logins
	}
	workflows, err := newCI(cfg, packages, own)
	if err != nil {
		return err
	}
	handler := server.New(server.Options{
		NPM: protocol, People: people.Options{Registry: packages, Change: cfg.Auth.GitHub.ChangePeople},
		URL: publicURL(cfg), TrustedProxies: cfg.Server.TrustedProxies, Version: version, Log: log,
		Login: logins.options(cfg), CI: workflows,
		Limits:  server.Limits{PerToken: cfg.Limits.RequestsPerToken, PerAddress: cfg.Limits.RequestsPerAddress},
		Hooks:   webhook(cfg, github),
		Metrics: counts.Metrics, MetricsToken: cfg.Metrics.Token.Reveal(),
		Ready: func(ctx context.Context) error { return errors.Join(packages.Ready(ctx), blobs.ready(ctx)) },
	})
	r := &registry{listener: listener, local: localAddress(cfg, listener), desk: desk, metrics: counts}
	err = runServer(ctx, log, r, handler, []sweep{
		{"uploads of publishes that were cut off", func(ctx context.Context) (int, error) { return packages.Sweep(ctx, false) }},
		{"unfinished uploads in parts", blobs.tidy},
		{"tokens that have expired", own.Sweep},
		{"logins that were not finished", logins.sessions.Sweep},
	}, func() { started(r) })
	if _, failed := own.Sweep(context.WithoutCancel(ctx)); failed != nil { // it notes which tokens were used
		log.Error("which tokens were used today could not be written down", "error", failed)
	}
	return err
}

func protocolOptions(cfg *config.Config, packages *store.Store, blobs *storage, github *githubauth.Client) (npm.Options, error) {
	if err := emptySpool(blobs.spool); err != nil {
		return npm.Options{}, err
	}
	g := gate.New(nil, namespaces(cfg))
	if github != nil {
		g = gate.New(github, namespaces(cfg))
	}
	var global npm.Global
	if cfg.Packages.Global == config.GlobalRedirect {
		var err error
		if global.Redirect, err = npm.ParseGlobal(cfg.Packages.GlobalRegistry); err != nil {
			return npm.Options{}, fmt.Errorf("packages.global_registry: %w", err)
		}
	}
	replaceOf := map[string]bool{}
	for namespace, its := range cfg.Namespaces {
		replaceOf[namespace] = its.AllowPreviousVersion
	}
	return npm.Options{
		Registry: packages, Gate: g, Global: global, MaxPublish: cfg.Server.MaxPublishBytes, Spool: blobs.spool, Redirect: blobs.redirect,
		Replace: cfg.Settings.AllowPreviousVersion, ReplaceOf: replaceOf,
		MailDomain: "users.noreply." + cfg.Auth.GitHub.Host,
	}, nil
}

// namespaces says what the registry's names stand for.
func namespaces(cfg *config.Config) scopes.Namespaces {
	names := scopes.Namespaces{
		Host: cfg.Auth.GitHub.Host, Owners: cfg.Auth.GitHub.Orgs, Aliases: cfg.Auth.GitHub.Namespaces,
		Global: cfg.Packages.Global == config.GlobalLocal, Assigned: cfg.Packages.Names,
		ToAll: cfg.Auth.GitHub.PublicPackages == config.PublicAnonymous, ToAllOf: map[string]bool{},
	}
	for namespace, its := range cfg.Namespaces {
		names.ToAllOf[namespace] = its.PublicPackages == config.PublicAnonymous
	}
	return names
}

func listen(cfg *config.Config) (net.Listener, error) {
	address := net.JoinHostPort(cfg.Server.Host, strconv.Itoa(cfg.Server.Port))
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("port %d is in use by another program: stop it, or choose another port with --server.port", cfg.Server.Port)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on port %d: choose one above 1023 with --server.port", cfg.Server.Port)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, errors.Unwrap(err))
	}
	return l, nil
}

// usable reports whether a folder can be written or made, and makes nothing.
func usable(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for at := abs; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if errors.Is(err, os.ErrNotExist) && at != filepath.Dir(at) {
			continue
		}
		if errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the folder %s cannot be used: %w", abs, errors.Unwrap(err))
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is a file, where gatehouse needs the folder %s", at, abs)
		}
		const write, enter = 2, 1
		if err := syscall.Access(at, write|enter); err != nil {
			return fmt.Errorf("this user may not write to the folder %s (%w): give it the right, or choose another folder", at, err)
		}
		return nil
	}
}

func publicURL(cfg *config.Config) *url.URL {
	if cfg.Server.URL == "" {
		return nil
	}
	u, err := url.Parse(cfg.Server.URL)
	if err != nil {
		return nil // config has parsed it
	}
	return u
}

// localAddress is how somebody on this machine reaches the registry.
func localAddress(cfg *config.Config, l net.Listener) string {
	host := cfg.Server.Host
	if a, err := netip.ParseAddr(host); err == nil && (a.IsUnspecified() || a.IsLoopback()) {
		host = "localhost"
	}
	port := l.Addr().(*net.TCPAddr).Port
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
}
