package scopes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDecideTokens is the table of who may do what with whose tokens, for each persona and those without a grant.
func TestDecideTokens(t *testing.T) {
	grants := map[string]*Grant{"none": nil}
	for _, persona := range []string{"subscriber", "member", "ci", "orgadmin", "owner"} {
		document, err := os.ReadFile(filepath.Join("testdata", "personas", persona+".json"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseRights(document)
		if err != nil {
			t.Fatal(err)
		}
		grants[persona] = &Grant{Rights: r}
	}
	packages := &Grant{Rights: Rights{{Values: []string{"*"}, Types: Types{Pkg: Use{Write: true}}}}}
	grants["packages-only"] = packages
	reads := &Grant{Rights: Rights{{Values: []string{"*"}, Types: Types{User: Use{Read: true}}}}}
	grants["user-read"] = reads
	one := &Grant{Rights: Rights{{Values: []string{"@organization/package-name"}, Types: Types{Pkg: Use{Read: true}}}}}

	john, jane := Principal{Kind: Person, ID: 1, Login: "johnsmith", Credential: Classic}, Principal{Kind: Person, ID: 2, Login: "janedoe", Credential: FineGrained}
	site := Principal{Kind: Person, ID: 1, Login: "johnsmith", Credential: OAuthToken}
	app := Principal{Kind: App, ID: 1, Login: "johnsmith"}
	// A line: who with which grant; list, revoke, mint something narrow, mint everything; of their own, and of others'.
	want := `
john none           own Y Y Y Y  others . . . .
john subscriber     own Y Y Y g  others . . . .
john member         own Y Y Y g  others . . . .
john ci             own Y Y Y g  others . . . .
john orgadmin       own Y Y Y g  others . . . .
john owner          own Y Y Y Y  others . . . .
john packages-only  own g g g g  others . . . .
john user-read      own Y g g g  others . . . .
jane none           own Y Y Y Y  others . . . .
jane member         own g g g g  others . . . .
jane orgadmin       own Y Y Y g  others . . . .
site none           own l l Y l  others . . . .
site user-read      own Y g g g  others . . . .
app  none           own p p p p  others p p p p
app  owner          own p p p p  others p p p p
`
	codes := map[Reason]string{Allowed: "Y", GrantTooNarrow: "g", NotAPerson: "p", NotTheirs: ".", Lent: "l"}
	for line := range strings.Lines(strings.TrimSpace(want)) {
		f := strings.Fields(line)
		who := map[string]Principal{"john": john, "jane": jane, "app": app, "site": site}[f[0]]
		got := fmt.Sprintf("%-4s %-14s", f[0], f[1])
		all := All()
		for _, owner := range []int64{who.ID, 99} {
			got += map[bool]string{true: " own", false: "  others"}[owner == who.ID]
			for _, q := range []TokenQuestion{{What: ListTokens}, {What: RevokeToken}, {What: MintToken, New: one}, {What: MintToken, New: &Grant{Rights: all}}} {
				q.Who, q.Grant, q.Owner = who, grants[f[1]], owner
				v := DecideTokens(q)
				if v.OK != (v.Reason == Allowed) {
					t.Errorf("%v is %+v", q, v)
				}
				got += " " + codes[v.Reason]
			}
		}
		if got != strings.TrimRight(line, "\n") {
			t.Errorf("got  %s\nwant %s", got, line)
		}
	}
	for _, q := range []TokenQuestion{{}, {Who: john, Owner: 1}, {Who: john, Owner: 1, What: RevokeToken + 1}, {Who: john, Owner: 1, What: MintToken}, {Who: Principal{}, What: ListTokens},
		{Who: Principal{Kind: Anyone}, What: ListTokens}, {Who: Principal{Kind: Person}, What: ListTokens}} {
		if v := DecideTokens(q); v.OK {
			t.Errorf("%+v is allowed", q)
		}
	}
}
