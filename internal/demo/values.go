package demo

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// Each function here returns what reads a header's value into its target.

func text(into *string) func(string) error {
	return func(value string) error {
		*into = value
		return nil
	}
}

func truth(into *bool) func(string) error {
	return func(value string) error {
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		*into = b
		return nil
	}
}

// resets reads "headers" or whether to close at all.
func resets(into *string) func(string) error {
	return func(value string) error {
		var before bool
		switch err := truth(&before)(value); {
		case value == resetHeaders:
			*into = resetHeaders
		case err != nil:
			return fmt.Errorf("%q is not true, false or headers", value)
		case before:
			*into = resetBefore
		default:
			*into = ""
		}
		return nil
	}
}

func oneOf(into *string, known ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(known, value) {
			return fmt.Errorf("%q is none of %s", value, strings.Join(known, ", "))
		}
		*into = value
		return nil
	}
}

func number[N int | int64](into *N, least, most N) func(string) error {
	return func(value string) error {
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || N(n) < least || N(n) > most {
			return fmt.Errorf("%q is not a number from %d to %d", value, least, most)
		}
		*into = N(n)
		return nil
	}
}

// each reads numbers with commas between them.
func each(into *[]int, least, most int) func(string) error {
	return func(value string) error {
		for part := range strings.SplitSeq(value, ",") {
			var n int
			if err := number(&n, least, most)(strings.TrimSpace(part)); err != nil {
				return err
			}
			*into = append(*into, n)
		}
		return nil
	}
}

func duration(into *time.Duration) func(string) error {
	return func(value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return fmt.Errorf("%q is not a duration such as 20ms", value)
		}
		*into = d
		return nil
	}
}

// pace reads "20ms" or "50/s".
func pace(into *time.Duration) func(string) error {
	return func(value string) error {
		rate, perSecond := strings.CutSuffix(value, "/s")
		if !perSecond {
			return duration(into)(value)
		}
		var n int
		if err := number(&n, 1, 1_000_000)(rate); err != nil {
			return err
		}
		*into = time.Second / time.Duration(n)
		return nil
	}
}

// units reads "unit=3,10". The numbers rise, and only the unit "at" takes more
// than one.
func units(into *measure, least int, known ...string) func(string) error {
	return func(value string) error {
		var m measure
		unit, list, _ := strings.Cut(value, "=")
		if err := oneOf(&m.unit, known...)(unit); err != nil {
			return err
		}
		if err := each(&m.numbers, least, maxBody)(list); err != nil {
			return err
		}
		if m.unit != "at" && len(m.numbers) > 1 || !slices.IsSortedFunc(m.numbers, rising) {
			return fmt.Errorf("%q is not one number, or at= with rising ones", value)
		}
		*into = m
		return nil
	}
}

// rising makes equal numbers count as out of order.
func rising(a, b int) int { return cmp.Or(cmp.Compare(a, b), -1) }

// fails reads "name=2:503" or "name=2:reset".
func fails(into *failing) func(string) error {
	return func(value string) error {
		var f failing
		var rest, times, status string
		f.name, rest, _ = strings.Cut(value, "=")
		times, status, _ = strings.Cut(rest, ":")
		err := number(&f.times, 0, 1_000_000)(times)
		if err == nil && status != "reset" {
			err = number(&f.status, 400, 599)(status)
		}
		if f.name == "" || err != nil {
			return fmt.Errorf("%q is not name=times:status or name=times:reset", value)
		}
		*into = f
		return nil
	}
}

// fields reads "Name: value".
func fields(into *[]field) func(string) error {
	return func(value string) error {
		name, text, found := strings.Cut(value, ":")
		text = strings.TrimSpace(text)
		if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(text) {
			return fmt.Errorf("%q is not a header such as Name: value", value)
		}
		*into = append(*into, field{http.CanonicalHeaderKey(name), text})
		return nil
	}
}
