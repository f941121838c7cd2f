package scopes

import "testing"

// TestDecidePeople is the whole table: changes are for people with GitHub's own credential, whatever a grant says.
func TestDecidePeople(t *testing.T) {
	use := func(read, write bool) Use { return Use{Read: read, Write: write} }
	grants := map[string]*Grant{
		"no grant":     nil,
		"everything":   {Rights: All()},
		"all users":    {Rights: Rights{{Values: []string{"*"}, Types: Types{User: use(true, false)}}}},
		"one user":     {Rights: Rights{{Values: []string{"~wendy"}, Types: Types{User: use(true, true)}}}},
		"another user": {Rights: Rights{{Values: []string{"~rita"}, Types: Types{User: use(true, true)}}}},
		"all packages": {Rights: Rights{{Values: []string{"*"}, Types: Types{Pkg: use(true, true)}}}},
	}
	themselves := map[string]bool{"no grant": true, "everything": true, "all users": true, "one user": true}
	stars := map[string]bool{"no grant": true, "everything": true, "one user": true}
	lists := map[string]bool{"no grant": true, "everything": true, "all users": true}
	for name, grant := range grants {
		for kind := Nobody; kind <= Anyone+1; kind++ {
			for what := PeopleAction(0); what <= Star+1; what++ {
				want := false
				switch {
				case what == ListPeople:
					want = (kind == Person || kind == App) && lists[name]
				case what == ChangePeople:
					want = kind == Person && grant == nil
				case what == Star:
					want = (kind == Person || kind == App) && stars[name]
				case what == SeeThemselves:
					want = kind == Person && themselves[name]
				}
				v := DecidePeople(PeopleQuestion{Who: Principal{Kind: kind, ID: 1, Login: "wendy"}, Grant: grant, What: what})
				if v.OK != want {
					t.Errorf("%s, kind %d, action %d: %v (%v)", name, kind, what, v.OK, v.Reason)
				}
				if v.OK != (v.Reason == Allowed) {
					t.Errorf("%s, kind %d, action %d: %v because %v", name, kind, what, v.OK, v.Reason)
				}
			}
		}
	}
}

func TestValidTeam(t *testing.T) {
	for name, want := range map[string]bool{"devs": true, "front-end_2": true, "": false, "../repos": false, "a/b": false, "a b": false, "..": false, ".": false, "a%2fb": false} {
		if ValidTeam(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
