package githubtest

// Fixture is a GitHub with something in it, and a token for everybody.
type Fixture struct {
	*GitHub
	UI, API, Open Repo // acme/ui and acme/api are private, acme/open is public

	// Classic tokens with the scope repo.
	Wendy   string // may push to acme/ui and acme/api
	Rita    string // may pull acme/ui and acme/api
	Mallory string // a stranger
	Ada     string // owns the organization

	// Tokens that reach less than Wendy's role, which GitHub shows for both as push.
	WendyReads  string // fine-grained, all of acme, contents: read
	WendyWrites string // fine-grained, acme/ui only, contents: write
	WendyScopes string // classic, without any scope

	// Workflow tokens of acme/ui.
	ActionsReads, ActionsWrites string
}

// Acme returns the organization acme with repositories ui, api and open, its owner ada, the members wendy and
// rita, and mallory, who has nothing to do with it. Members have no base permission. Tests and `gatehouse
// demo` share it.
func Acme(options ...Option) *Fixture {
	g := New(options...)
	f := &Fixture{GitHub: g}
	g.AddOrg("acme")
	g.SetBasePermission("acme", NoRole)
	for _, user := range []string{"ada", "wendy", "rita", "mallory"} {
		g.AddUser(user)
	}
	g.AddOwner("acme", "ada")
	g.AddMember("acme", "wendy")
	g.AddMember("acme", "rita")
	f.UI = g.AddRepo("acme/ui", Private)
	f.API = g.AddRepo("acme/api", Private)
	f.Open = g.AddRepo("acme/open", Public)
	for _, name := range []string{"acme/ui", "acme/api"} {
		g.Grant("wendy", name, Push)
		g.Grant("rita", name, Pull)
	}
	personal := func(user string) string {
		return g.Token(Classic{User: user, Scopes: []string{"repo"}}, Label(user))
	}
	f.Wendy, f.Rita, f.Mallory, f.Ada = personal("wendy"), personal("rita"), personal("mallory"), personal("ada")
	f.WendyReads = g.Token(FineGrained{User: "wendy", Owner: "acme", Contents: Read}, Label("wendyreads"))
	f.WendyWrites = g.Token(FineGrained{User: "wendy", Owner: "acme", Repos: []string{"acme/ui"}, Contents: Write}, Label("wendywrites"))
	f.WendyScopes = g.Token(Classic{User: "wendy"}, Label("wendynoscope"))
	f.ActionsReads = g.Token(Actions{Repo: "acme/ui", Contents: Read}, Label("uireads"))
	f.ActionsWrites = g.Token(Actions{Repo: "acme/ui", Contents: Write}, Label("uiwrites"))
	return f
}

// Start serves on a free port of the loopback interface, and returns f.
func (f *Fixture) Start() *Fixture {
	f.GitHub.Start()
	return f
}
