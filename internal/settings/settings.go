// Package settings reads a program's settings and reports every mistake in them
// at once.
//
// Each setting has one name, written in three ways: MAX_ORDER_USD in the
// environment, --max-order-usd as a flag, max_order_usd in the YAML file that
// --config names. The flag wins over the environment, the environment over the
// file, the file over the default. A secret is read from the environment, or
// from the file whose path NAME_FILE gives; it is no flag, because every user of
// a machine can read the flags of a running program.
//
// Parsing stops at no mistake: an operator who has made five wants to hear of
// five.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"skinarb/pricing"
)

// Set is what a program can be told. Declare settings, then call Load.
type Set struct {
	program, about string
	prefix         string // of names in the environment
	all            []*setting
	elsewhere      []string // names of settings that other programs have
	group          string
}

type setting struct {
	name   string // as in the environment
	group  string
	help   string
	value  string // in force, as text
	from   string // "flag", "environment", "file", "" for the default
	hidden bool   // its value is never shown
	secret bool   // and it is no flag, and not in the settings file
	isBool bool
	blank  bool // set to nothing in the environment means nothing, not the default
	parse  func(string) error
}

func (st *setting) flag() string { return strings.ToLower(strings.ReplaceAll(st.name, "_", "-")) }
func (st *setting) key() string  { return strings.ToLower(st.name) }

// ErrDone is returned by Load after --help or --version has been answered.
var ErrDone = errors.New("nothing left to do")

// New gives a set for a program; about is the sentence that --help begins with.
func New(program, about string) *Set {
	s := &Set{program: program, about: about}
	s.Group("General")
	return s
}

// Group starts a group of settings in --help.
func (s *Set) Group(title string) { s.group = title }

// Prefix sets what the settings' names begin with in the environment, and only
// there.
func (s *Set) Prefix(p string) { s.prefix = p }

// Elsewhere names settings that only other programs have: in a settings file, which
// may be theirs, too, they are no mistake.
func (s *Set) Elsewhere(names ...string) { s.elsewhere = names }

// Var declares a setting that parse reads; what it needs to be belongs in the
// error.
func (s *Set) Var(name, def, help string, parse func(string) error) { s.add(name, def, help, parse) }

func (s *Set) add(name, def, help string, parse func(string) error) *setting {
	st := &setting{name: name, group: s.group, help: help, value: def, parse: parse}
	s.all = append(s.all, st)
	return st
}

// Text declares a setting that is taken as it is.
func (s *Set) Text(p *string, name, def, help string) {
	s.add(name, def, help, func(v string) error { *p = v; return nil })
}

// Private declares a setting that may contain a secret, such as an address with
// a password in it: it is never shown, but may be a flag when it has none.
func (s *Set) Private(p *string, name, help string) {
	s.add(name, "", help, func(v string) error { *p = v; return plain(v) }).hidden = true
}

// plain tells that a secret has something in it that no request can carry.
func plain(v string) error {
	if strings.ContainsFunc(v, unicode.IsControl) {
		return errors.New("there is a line break or another control character in it")
	}
	return nil
}

// Secret declares a setting that is a secret through and through.
func (s *Set) Secret(p *string, name, help string) {
	s.Private(p, name, help)
	s.all[len(s.all)-1].secret = true
}

// Blank is Text for what can be turned off by setting it to nothing.
func (s *Set) Blank(p *string, name, def, help string) {
	s.Text(p, name, def, help)
	s.all[len(s.all)-1].blank = true
}

// Choice declares a setting that takes one of some words.
func (s *Set) Choice(p *string, name, def string, words []string, help string) {
	s.add(name, def, help+" One of "+strings.Join(words, ", ")+".", func(v string) error {
		*p = v
		if !slices.Contains(words, v) {
			return fmt.Errorf("it is one of %s", strings.Join(words, ", "))
		}
		return nil
	})
}

// Switch declares a setting that is on or off.
func (s *Set) Switch(p *bool, name, help string) {
	s.add(name, "false", help, func(v string) (err error) {
		if *p, err = strconv.ParseBool(v); err != nil {
			return errors.New("it is true or false")
		}
		return nil
	}).isBool = true
}

// OnOff is Switch in the words on and off; as a flag alone it means on.
func (s *Set) OnOff(p *bool, name, help string) {
	s.add(name, "off", help, func(v string) error {
		switch v {
		case "on", "true":
			*p = true
		case "off", "false":
			*p = false
		default:
			return errors.New("it is on or off")
		}
		return nil
	}).isBool = true
}

// Int declares a whole number within bounds, both included.
func (s *Set) Int(p *int, name string, def, least, most int, help string) {
	s.add(name, strconv.Itoa(def), help, func(v string) (err error) {
		if *p, err = strconv.Atoi(v); err != nil || *p < least || *p > most {
			return fmt.Errorf("it is a whole number from %d to %d", least, most)
		}
		return nil
	})
}

// Duration declares a span of time within bounds, written like 90s or 5m.
func (s *Set) Duration(p *time.Duration, name, def string, least, most time.Duration, help string) {
	s.add(name, def, help, func(v string) (err error) {
		if *p, err = time.ParseDuration(v); err != nil || *p < least || *p > most {
			return fmt.Errorf("it is a time from %s to %s, such as 90s or 5m", least, most)
		}
		return nil
	})
}

// Dollars declares an amount of US dollars; empty, where def is empty, is no
// limit and gives zero.
func (s *Set) Dollars(p *pricing.Money, name, def, help string) {
	s.add(name, def, help, func(v string) (err error) {
		if v == "" && def == "" {
			*p = 0
			return nil
		}
		if *p, err = pricing.ParseMoney(v); err != nil || *p < 0 || (*p == 0 && def == "") {
			return errors.New("it is an amount of US dollars, such as 25.50")
		}
		return nil
	})
}

// List declares a comma list; each part is trimmed, empty ones dropped.
func (s *Set) List(name, def, help string, parse func([]string) error) {
	s.add(name, def, help, func(v string) error { return parse(split(v)) })
}

// SecretList is List for secrets. A list that is set and has nothing in it is a
// mistake: what it guards would be open.
func (s *Set) SecretList(p *[]string, name, help string) {
	st := s.add(name, "", help, func(v string) error {
		parts := split(v)
		if v != "" && len(parts) == 0 {
			return errors.New("it is set, and there is nothing between its commas")
		}
		for _, part := range parts {
			if err := plain(part); err != nil {
				return err
			}
		}
		*p = parts
		return nil
	})
	st.hidden, st.secret = true, true
}

func split(v string) []string {
	var parts []string
	for part := range strings.SplitSeq(v, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// Given tells whether the operator has set a setting, to whatever value.
func (s *Set) Given(name string) bool {
	for _, st := range s.all {
		if st.name == name {
			return st.from != ""
		}
	}
	return false
}

// Override puts a value in force in place of what the operator said, as the demo
// does. It panics on a mistake, which is ours.
func (s *Set) Override(name, value string) {
	for _, st := range s.all {
		if st.name == name {
			st.value, st.from = value, "demo"
			if err := st.parse(value); err != nil {
				panic(fmt.Sprintf("override %s: %v", name, err))
			}
			return
		}
	}
	panic("override " + name + ": no such setting")
}

// Suggest is Override where the operator said nothing.
func (s *Set) Suggest(name, value string) {
	if !s.Given(name) {
		s.Override(name, value)
	}
}

// Load reads the settings from args, the environment and the file. Its error
// joins every mistake, each beginning with the setting's name. After --help or
// --version it has written to out and returns ErrDone.
func (s *Set) Load(args []string, lookup func(string) (string, bool), out io.Writer) error {
	var config string
	if !slices.ContainsFunc(s.all, func(st *setting) bool { return st.name == "CONFIG" }) {
		s.group = "General"
		s.Text(&config, "CONFIG", "", "YAML `file` with settings, one key each"+s.example())
	}
	env := func(name string) (string, bool) { return lookup(s.prefix + name) }
	if s.prefix == "" {
		env = lookup
	}
	named, _ := env("CONFIG")
	flags, mistakes, done := s.parseArgs(args, out)
	if done {
		return ErrDone
	}
	file, errs := s.readFile(cmp.Or(flags["CONFIG"], named))
	mistakes = append(mistakes, errs...)
	for _, st := range s.all {
		if err := st.resolve(flags, env, file); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return errors.Join(mistakes...)
}

// example gives a line of a settings file: the last setting whose default is a
// number, since that is short and tells its unit.
func (s *Set) example() string {
	for _, st := range slices.Backward(s.all) {
		if _, err := strconv.Atoi(st.value); err == nil {
			return ": " + st.key() + ": " + st.value
		}
	}
	return ""
}

// resolve finds the value in force and parses it.
func (st *setting) resolve(flags map[string]string, env func(string) (string, bool), file map[string]string) error {
	secretFile, _ := env(st.name + "_FILE")
	if v, ok := flags[st.name]; ok {
		st.value, st.from = v, "flag"
	} else if v, ok := env(st.name); v != "" || ok && st.blank {
		st.value, st.from = v, "environment"
	} else if v, ok := file[st.key()]; ok && !st.secret {
		st.value, st.from = v, "file"
	} else if path := cmp.Or(secretFile, file[st.key()+"_file"]); st.hidden && path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("%s_FILE: cannot read the secret: %w", st.name, err)
		}
		if st.value, st.from = strings.TrimSpace(string(text)), "secret file"; st.value == "" {
			return fmt.Errorf("%s_FILE: there is nothing in the file", st.name)
		}
	}
	err := st.parse(st.value)
	switch {
	case err == nil:
		return nil
	case st.hidden:
		return fmt.Errorf("%s: %w", st.name, err)
	}
	return fmt.Errorf("%s: got %q, but %w", st.name, st.value, err)
}

// parseArgs takes --name value, --name=value, --switch and --no-switch.
func (s *Set) parseArgs(args []string, out io.Writer) (flags map[string]string, mistakes []error, done bool) {
	flags = map[string]string{}
	byFlag := map[string]*setting{}
	for _, st := range s.all {
		byFlag[st.flag()] = st
	}
	for i := 0; i < len(args); i++ {
		arg, value, hasValue := strings.Cut(args[i], "=")
		name, isFlag := strings.CutPrefix(arg, "--")
		switch name {
		case "help", "-h":
			s.help(out)
			return nil, nil, true
		case "version":
			fmt.Fprintln(out, s.program, Version())
			return nil, nil, true
		}
		st := byFlag[name]
		off := byFlag[strings.TrimPrefix(name, "no-")]
		switch {
		case !isFlag:
			mistakes = append(mistakes, fmt.Errorf("%s: not a flag; see --help", args[i]))
		case st == nil && off != nil && off.isBool && !hasValue:
			flags[off.name] = "false"
		case st == nil:
			mistakes = append(mistakes, fmt.Errorf("--%s: no such flag; see --help", name))
		case st.secret:
			mistakes = append(mistakes, fmt.Errorf("%s: a flag would show the secret to every user of this machine; set the environment variable %s, or %s_FILE to the path of a file", st.name, st.name, st.name))
			if !hasValue && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
				i++
			}
		case hasValue:
			flags[st.name] = value
		case st.isBool && i+1 < len(args) && (args[i+1] == "on" || args[i+1] == "off"):
			i++
			flags[st.name] = args[i]
		case st.isBool: // --switch alone; --switch=false is above
			flags[st.name] = "true"
		case i+1 == len(args):
			mistakes = append(mistakes, fmt.Errorf("%s: --%s needs a value", st.name, name))
		default:
			i++
			flags[st.name] = args[i]
		}
	}
	return flags, mistakes, false
}

// readFile reads the YAML file into text by key. Lists become comma lists.
func (s *Set) readFile(path string) (map[string]string, []error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, []error{fmt.Errorf("CONFIG: %w", err)}
	}
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, []error{fmt.Errorf("CONFIG: %s is not a YAML mapping of settings: %w", path, err)}
	}
	known := map[string]*setting{}
	for _, st := range s.all {
		known[st.key()] = st
		if st.hidden {
			known[st.key()+"_file"] = st
		}
	}
	others := map[string]bool{}
	for _, name := range s.elsewhere {
		others[strings.ToLower(name)], others[strings.ToLower(name)+"_file"] = true, true
	}
	file := map[string]string{}
	var mistakes []error
	for _, raw := range slices.Sorted(maps.Keys(doc)) {
		v := doc[raw]
		key := strings.ReplaceAll(strings.ToLower(raw), "-", "_")
		switch st := known[key]; {
		case st == nil && others[key]:
		case st == nil:
			mistakes = append(mistakes, fmt.Errorf("%s: no such setting, in %s", raw, path))
		case st.secret && key == st.key():
			mistakes = append(mistakes, fmt.Errorf("%s: secrets do not belong in a settings file; set %s_file to the path of one", raw, key))
		default:
			text, err := scalar(v)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w, in %s", st.name, err, path))
			}
			file[key] = text
		}
	}
	return file, mistakes
}

// scalar gives a YAML value as the text that a flag would have. It takes the
// file's own characters, so that no amount of money becomes a float.
func scalar(v yaml.Node) (string, error) {
	switch {
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
		return "", nil
	case v.Kind == yaml.ScalarNode:
		return v.Value, nil
	case v.Kind == yaml.SequenceNode:
		parts := make([]string, len(v.Content))
		for i, e := range v.Content {
			if e.Kind != yaml.ScalarNode {
				return "", errors.New("a plain list is expected")
			}
			parts[i] = e.Value
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("a value or a list is expected")
}

// Shown gives every setting in force as it may be shown: secrets only say
// whether they are set.
func (s *Set) Shown() map[string]string {
	shown := make(map[string]string, len(s.all))
	for _, st := range s.all {
		switch {
		case st.hidden && st.value != "":
			shown[st.name] = "(set)"
		case st.hidden:
			shown[st.name] = "(not set)"
		default:
			shown[st.name] = st.value
		}
	}
	return shown
}

func (s *Set) help(out io.Writer) {
	fmt.Fprintf(out, "%s\n\nUsage: go run ./cmd/%s [flags]\n", s.about, s.program)
	fmt.Fprintf(out, "\nEach flag is also an environment variable and a key of the file that --config\nnames; the flag wins, then the environment, then the file.\n")
	var groups []string
	for _, st := range s.all {
		if !slices.Contains(groups, st.group) {
			groups = append(groups, st.group)
		}
	}
	for _, group := range groups {
		fmt.Fprintf(out, "\n%s:\n", group)
		for _, st := range s.all {
			if st.group != group {
				continue
			}
			switch {
			case st.secret:
				fmt.Fprintf(out, "  %s or %s_FILE (environment only, secret)\n", st.name, st.name)
			case st.isBool:
				fmt.Fprintf(out, "  --%s  $%s (default: %s)\n", st.flag(), s.prefix+st.name, st.value)
			case st.hidden:
				fmt.Fprintf(out, "  --%s VALUE  $%s or the file $%s_FILE names (never shown)\n", st.flag(), st.name, st.name)
			default:
				fmt.Fprintf(out, "  --%s VALUE  $%s (default: %s)\n", st.flag(), s.prefix+st.name, cmp.Or(st.value, "none"))
			}
			for _, line := range wrap(strings.ReplaceAll(st.help, "`", ""), 72) {
				fmt.Fprintf(out, "        %s\n", line)
			}
		}
	}
	fmt.Fprintf(out, "\n  --help     Print this and exit.\n  --version  Print the version and exit.\n")
}

// wrap breaks text into lines of at most width characters.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
