package githubauth

// drawer is where a credential's answers are kept over a restart.
type drawer struct{}

func (c *Client) restore(k *credential, token string) {}
