package fsck

import (
	"fmt"
	"maps"
	"slices"

	"gatehouse/store"
	"gatehouse/store/packument"
)

// metadata finds what is wrong with the rows of a package, the tarballs apart. It is a pure function.
func metadata(r store.Record) []Finding {
	var all []Finding
	add := func(kind Kind, version string, repairable bool, format string, args ...any) {
		all = append(all, Finding{Kind: kind, Package: r.Name, Version: version, Repairable: repairable, Words: fmt.Sprintf(format, args...)})
	}
	if _, err := packument.ParseName(r.Name); err != nil {
		add(BadName, "", false, "no package can have this name")
	}
	there, names := map[string]bool{}, map[string]string{}
	for _, v := range r.Versions {
		if err := packument.CheckVersion(v.Number); err != nil {
			add(BadName, v.Number, false, "no version can have this number")
		}
		switch {
		case v.Damage != nil:
			add(VersionDamaged, v.Number, true, "its record is damaged: %v", v.Damage)
		case !v.Tombstone:
			there[v.Number] = true
			if other := names[v.Blob]; other != "" {
				add(TarballShared, v.Number, false, "it has the same tarball as %s, and with either of them the other's would go", other)
			}
			names[v.Blob] = v.Number
		}
	}
	for _, v := range r.Pages {
		if !there[v] {
			add(PageStray, v, true, "there is a page of a version that is not there")
		}
	}
	for _, v := range slices.Sorted(maps.Keys(there)) {
		if !slices.Contains(r.Pages, v) {
			add(PageMissing, v, true, "its page (description and readme) is lost")
		}
	}
	switch {
	case r.Damage != nil:
		add(HeadDamaged, "", true, "its head is damaged: %v; a repair binds it to nothing, and its tags are lost", r.Damage)
	case r.Head == nil && len(r.Versions) > 0:
		add(HeadMissing, "", true, "there are versions and no head; a repair makes one that is bound to nothing, and its tags are lost")
	case r.Head != nil:
		head(r, there, add)
	}
	return all
}

// head finds what is wrong between the head and the versions that are there.
func head(r store.Record, there map[string]bool, add func(kind Kind, version string, repairable bool, format string, args ...any)) {
	for _, tag := range slices.Sorted(maps.Keys(r.Head.DistTags)) {
		if v := r.Head.DistTags[tag]; !there[v] {
			add(TagDangles, v, true, "the tag %s names it, and it is not there", tag)
		}
	}
	switch {
	case len(r.Versions) == 0:
		add(NoVersions, "", false, "there is a head and not one version, not even a withdrawn one")
	case len(there) > 0 && r.Head.DistTags["latest"] == "":
		add(NoLatest, "", true, "it has versions and no tag latest")
	}
	if whole := r.Head.Unpublished != nil; whole && len(there) > 0 {
		add(Withdrawn, "", true, "it says that it is withdrawn as a whole, and has versions")
	} else if !whole && len(there) == 0 && len(r.Versions) > 0 {
		add(Withdrawn, "", true, "each of its versions is withdrawn, and it does not say so")
	}
}
