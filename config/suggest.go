package config

import "strings"

func names(schema []key) []string {
	list := make([]string, len(schema))
	for i, k := range schema {
		list[i] = k.name
	}
	return list
}

// bare is a name without what people get wrong first: case and separators.
func bare(name string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
}

// nearest is the known name that was probably meant, or "". Few slips are forgiven, because a wrong
// suggestion costs more than none. A name that is only the end of one known name is taken for that one.
func nearest(name string, known []string) string {
	want := bare(name)
	best, least := "", 1+min(3, (len(want)+1)/3)
	for _, k := range known {
		if d := distance(want, bare(k)); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return best
	}
	end := "." + bare(name[strings.LastIndex(name, ".")+1:])
	for _, k := range known {
		if i := strings.LastIndex(k, "."); i >= 0 && "."+bare(k[i:]) == end {
			if best != "" {
				return ""
			}
			best = k
		}
	}
	return best
}

// distance counts the letters to insert, remove, replace or swap with their neighbour.
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
