package githubauth

// Unavailable tells those who do not know this package that it is GitHub that gave no answer.
func (e *Unavailable) Unavailable() bool { return true }
