package scopes

import "time"

// Profile is what GitHub shows of an account. Nothing is decided by it.
type Profile struct {
	Account
	Name string
	// Mail is the address that GitHub shows; "" if it shows none. MailVerified is true only where GitHub says so.
	Mail         string
	MailVerified bool
	Homepage     string
	Page         string // on GitHub
	Twitter      string
	Created      time.Time
	Updated      time.Time
	// TwoFactor tells whether the account needs a second factor; nil if GitHub does not show it.
	TwoFactor *bool
}
