package kv

import "fmt"

// CheckKey returns an error for a key that no engine may store.
func CheckKey(key []byte) error {
	if len(key) == 0 || len(key) > MaxKey {
		return fmt.Errorf("kv: a key of %d bytes; it must have 1 to %d", len(key), MaxKey)
	}
	return nil
}

// Check returns an error for a batch that no engine may apply: a key or a value out of its limits, or
// a key that is changed twice, for which engines would have to agree on an order. It is here so that
// they all refuse the same.
func (b Batch) Check() error {
	for _, e := range b.If {
		if err := CheckKey(e.Key); err != nil {
			return err
		}
	}
	changed := make(map[string]struct{}, len(b.Put)+len(b.Delete))
	change := func(key []byte) error {
		if err := CheckKey(key); err != nil {
			return err
		}
		if _, twice := changed[string(key)]; twice {
			return fmt.Errorf("kv: the batch changes key %q twice", key)
		}
		changed[string(key)] = struct{}{}
		return nil
	}
	for _, e := range b.Put {
		if err := change(e.Key); err != nil {
			return err
		}
		if len(e.Value) > MaxValue {
			return fmt.Errorf("kv: a value of %d bytes for key %q; the limit is %d", len(e.Value), e.Key, MaxValue)
		}
	}
	for _, key := range b.Delete {
		if err := change(key); err != nil {
			return err
		}
	}
	return nil
}
