// Package operator is how commands of the operator reach a registry that runs on the same machine.
//
// A running registry has its data locked, so "gatehouse backup" cannot open them beside it. It asks the registry instead: HTTP over a
// Unix socket, which lies with the metadata, in a folder that only the registry's user can enter. Whoever can connect could
// as well read the data, so there is no other credential. A command that finds no registry behind the socket opens the data itself.
//
// # Desk
//
// Desk does the work, on open engines. Server hands it out over the socket, Client has the same methods at the other end, so a command does
// not know where its work is done. A verb is a method of both and a route; what it takes is JSON in the body of a POST. Its
// answer is one of two: a Message a line, as JSON, of which the last is the result or the error; or, for a backup, the bytes
// themselves, with the result and the error in trailers.
//
//	curl --unix-socket data/db/operator/socket -d '{"quick":true}' http://gatehouse/fsck
//
// # The socket
//
// The lock on the metadata says who the registry is: only who holds it listens. So a socket that is there when a registry starts was left by one
// that was killed, and is removed; and one that nobody listens to means that no registry runs. A path of a socket must be short (108
// bytes on Linux); where it is not, it is reached by way of its open folder.
package operator

import (
	"context"
	"io"

	"gatehouse/server/gate"
	"gatehouse/store"
	"gatehouse/store/backup"
	"gatehouse/store/blob"
	"gatehouse/store/fsck"
	"gatehouse/store/tokens"
)

// Desk does an operator's work on open engines.
type Desk struct {
	Store *store.Store
	Blobs blob.Store
	// Own are the tokens that the registry gave out.
	Own *tokens.Tokens
	// Alone says that no registry runs on these data: nothing is under way.
	Alone bool
	// Version is the program's.
	Version string
	// Host is the GitHub instance's name, and Roles asks it about accounts; nil where the registry has no credential of its own to ask with.
	Host  string
	Roles Roles
}

// Message is what is told while work goes on: one of its fields.
type Message struct {
	Finding  *fsck.Finding  `json:"finding,omitempty"`
	Progress *fsck.Progress `json:"progress,omitempty"`
	Fixed    string         `json:"fixed,omitempty"` // what a repair has done

	// The last message of an answer has one of these.
	Why       *gate.Why       `json:"why,omitempty"`
	Listed    *Listed         `json:"listed,omitempty"`
	Checked   *fsck.Summary   `json:"checked,omitempty"`
	Collected *fsck.Collected `json:"collected,omitempty"`
	Bound     *Bound          `json:"bound,omitempty"`
	Admitted  *Admitted       `json:"admitted,omitempty"`
	Error     string          `json:"error,omitempty"`
}

// Check is what a check is to do.
type Check struct {
	Quick  bool `json:"quick,omitempty"`
	Repair bool `json:"repair,omitempty"`
	Force  bool `json:"force,omitempty"`
}

// Collect is what a collection is to do.
type Collect struct {
	Dry   bool `json:"dry,omitempty"`
	Force bool `json:"force,omitempty"`
}

// Check checks, and repairs.
func (d *Desk) Check(ctx context.Context, what Check, tell func(Message)) (fsck.Summary, error) {
	o := d.options(tell, "gatehouse fsck")
	o.Quick, o.Force = what.Quick, what.Force
	c := fsck.New(d.Store, d.Blobs, o)
	sum, err := c.Run(ctx)
	if err == nil && what.Repair && sum.Findings > 0 {
		sum, err = c.Repair(ctx)
	}
	return sum, err
}

// Collect removes what nothing names any more.
func (d *Desk) Collect(ctx context.Context, what Collect, tell func(Message)) (fsck.Collected, error) {
	o := d.options(tell, "gatehouse gc")
	o.Force = what.Force
	return fsck.New(d.Store, d.Blobs, o).Collect(ctx, d.Alone, what.Dry)
}

func (d *Desk) options(tell func(Message), by string) fsck.Options {
	return fsck.Options{
		By:       store.Actor{Login: by}, // no login has a space in it
		Found:    func(f fsck.Finding) { tell(Message{Finding: &f}) },
		Fixed:    func(words string) { tell(Message{Fixed: words}) },
		Progress: func(p fsck.Progress) { tell(Message{Progress: &p}) },
	}
}

// Backup writes a backup.
func (d *Desk) Backup(ctx context.Context, w io.Writer, progress func(done, of backup.Counts)) (backup.Summary, error) {
	return backup.Write(ctx, w, d.Store, d.Blobs, backup.Options{By: d.by(), Progress: progress})
}

func (d *Desk) by() string { return "gatehouse " + d.Version }
