package blob

import (
	"context"
	"iter"
	"time"
)

// Info is what a Lister tells of an object.
type Info struct {
	Key  string
	Size int64
	// Modified is when the object was put, as the clock of the engine has it. It tells an upload that is under way from
	// something forgotten, so it may be early by minutes and never late by days.
	Modified time.Time
}

// Lister is what an engine may be besides a Store: one that can tell what it holds. Checking, collecting what is forgotten, and restoring
// into an empty engine need it; serving does not.
type Lister interface {
	// List yields every object once, in the order of bytes of the keys: "a-b/c" before "a/c". So all objects of one folder
	// follow one another. An object that is put or deleted meanwhile is there or not; all others are, each with its whole size.
	// What is stored under a name that is no key (CheckKey) is not an object and not yielded: temporary files, unfinished
	// uploads, what others have put there. Memory use does not grow with the number of objects in
	// all, at most with that of one folder. An error is the last thing it yields; it wraps the context's if that has ended.
	//
	// An engine in S3 pages through ListObjectsV2, whose order this is, takes its prefix off the keys, and
	// takes Modified from LastModified.
	List(ctx context.Context) iter.Seq2[Info, error]
}
