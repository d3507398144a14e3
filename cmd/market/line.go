package main

import (
	"fmt"
	"strings"
	"time"
)

// line is a command line, taken apart.
type line struct {
	words    []string          // the market, the command, its arguments
	given    map[string]string // options of commands, by name
	settings []string          // flags that are settings, as they were
	unknown  []error
	help     bool
	version  bool
}

// split takes a command line apart. Options may stand anywhere: whether a flag
// has a value does not depend on the command.
func split(args []string) line {
	l := line{given: map[string]string{}}
	isSetting := settingFlags()
	for i := 0; i < len(args); i++ {
		flag, value, hasValue := strings.Cut(args[i], "=")
		name, isFlag := strings.CutPrefix(flag, "--")
		next := func() (string, bool) {
			if hasValue {
				return value, true
			}
			if i+1 == len(args) {
				return "", false
			}
			i++
			return args[i], true
		}
		o := findOption(name)
		switch {
		case args[i] == "-h", isFlag && name == "help":
			l.help = true
		case isFlag && name == "version":
			l.version = true
		case !isFlag && strings.HasPrefix(args[i], "-"):
			l.unknown = append(l.unknown, fmt.Errorf("%s: no such flag", args[i]))
		case !isFlag:
			l.words = append(l.words, args[i])
		case isSetting[name]:
			l.settings = append(l.settings, args[i])
			if v, ok := next(); ok && !hasValue {
				l.settings = append(l.settings, v)
			}
		case o == nil:
			l.unknown = append(l.unknown, fmt.Errorf("--%s: no such flag", name))
		case o.value == "" && hasValue:
			l.unknown = append(l.unknown, fmt.Errorf("--%s: it takes no value", name))
		case o.value == "":
			l.given[name] = "true"
		default:
			v, ok := next()
			if !ok {
				l.unknown = append(l.unknown, fmt.Errorf("--%s: it needs a value", name))
			}
			l.given[name] = v
		}
	}
	return l
}

// read gives the command of a line and what it is told, and every mistake in it.
// Without a command there is a mistake.
func (l line) read(now time.Time) (*command, *input, []error) {
	mistakes := l.unknown
	c, err := find(l.words)
	if err != nil {
		return nil, nil, append(mistakes, err)
	}
	in := &input{now: now, given: map[string]string{}}
	args := l.words[2:]
	switch {
	case len(args) < c.least:
		mistakes = append(mistakes, fmt.Errorf("an argument is missing: %s", c.usage()))
	case len(args) > c.most:
		mistakes = append(mistakes, fmt.Errorf("%q: that is too much, want %s", args[c.most], c.usage()))
	}
	for _, o := range c.allOptions() {
		v, told := l.given[o.name]
		switch {
		case told:
		case o.name == upTo.name && l.given[asJSON.name] != "":
			v = "0"
		default:
			v = o.def
		}
		in.given[o.name] = v
		if v == "" || o.parse == nil {
			continue
		}
		if err := o.parse(in, v); err != nil {
			mistakes = append(mistakes, fmt.Errorf("--%s: got %q, but %w", o.name, v, err))
		}
	}
	for _, a := range args[:min(len(args), c.most)] {
		in.args = append(in.args, a)
		switch {
		case a == "":
			mistakes = append(mistakes, fmt.Errorf("an argument is empty: %s", c.usage()))
		case c.arg != nil:
			if err := c.arg(in, a); err != nil {
				mistakes = append(mistakes, fmt.Errorf("%q: %w", a, err))
			}
		}
	}
	if c.check != nil {
		if err := c.check(in); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	for _, o := range options() { // in their order, so that the mistakes are
		if _, told := l.given[o.name]; told && !c.takes(o.name) {
			mistakes = append(mistakes, fmt.Errorf("--%s: not for %s", o.name, c.path()))
		}
	}
	return c, in, mistakes
}
