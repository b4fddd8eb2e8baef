// Package fault says what is wrong with settings: each problem begins with the
// key at fault and says what would be right.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OneOf returns an error unless value is one of the choices.
func OneOf(key, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return fmt.Errorf("%s: %q is not one of %s", key, value, strings.Join(choices, ", "))
}

// Within returns an error unless d is from low to high.
func Within(key string, d, low, high time.Duration) error {
	if d >= low && d <= high {
		return nil
	}
	return fmt.Errorf("%s: %s is not from %s to %s", key, d, low, high)
}

// Negative returns an error if d is.
func Negative(key string, d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("%s: %s is negative", key, d)
	}
	return nil
}

// Under puts a key before each of the problems that err joins.
func Under(key string, err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		errs = append(errs, fmt.Errorf("%s.%s", key, line))
	}
	return errors.Join(errs...)
}
