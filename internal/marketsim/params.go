package marketsim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// params are the parameters of a SkinsBack request, as PHP would hold them:
// scalars, []any, and map[string]any for arrays with keys of their own.
type params map[string]any

// parseParams reads a body that is JSON or a form. What cannot be read is no
// parameters, as in PHP.
func parseParams(contentType string, body []byte) params {
	trimmed := bytes.TrimSpace(body)
	if strings.Contains(contentType, "json") || bytes.HasPrefix(trimmed, []byte("{")) {
		var p params
		dec := json.NewDecoder(bytes.NewReader(trimmed))
		dec.UseNumber()
		if dec.Decode(&p) != nil {
			return params{}
		}
		return p
	}
	return parseForm(string(body))
}

// parseForm reads a form the way PHP does: a[b][c]=v makes nested arrays, and
// empty brackets take the next free number.
func parseForm(body string) params {
	p := map[string]any{}
	for pair := range strings.SplitSeq(body, "&") {
		k, v, _ := strings.Cut(pair, "=")
		k, err := url.QueryUnescape(k)
		v, err2 := url.QueryUnescape(v)
		if err != nil || err2 != nil || k == "" {
			continue
		}
		name, rest, nested := strings.Cut(k, "[")
		if !nested {
			p[name] = v
			continue
		}
		into, at := p, name
		for part := range strings.SplitSeq(strings.TrimSuffix(rest, "]"), "][") {
			inner, ok := into[at].(map[string]any)
			if !ok {
				inner = map[string]any{}
				into[at] = inner
			}
			if part == "" {
				part = strconv.Itoa(len(inner))
			}
			into, at = inner, part
		}
		into[at] = v
	}
	return p
}

// text returns a scalar as text, "" if it is missing or no scalar.
func (p params) text(name string) string {
	s, _ := scalar(p[name])
	return s
}

func (p params) flag(name string) bool {
	s := p.text(name)
	return s != "" && s != "0" && s != "false"
}

// scalar renders a value as PHP does when it needs text.
func scalar(v any) (s string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case nil:
		return "", true
	case bool:
		if v {
			return "1", true
		}
		return "", true
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			return v.String(), true
		}
		f, err := v.Float64()
		if err != nil {
			return v.String(), true
		}
		return strconv.FormatFloat(f, 'f', -1, 64), true // 10.50 becomes 10.5
	}
	return "", false
}

// elements returns the members of an array, in order of their keys if it came
// with keys, and whether it is one.
func (p params) elements(name string) ([]any, bool) {
	switch v := p[name].(type) {
	case []any:
		return v, true
	case map[string]any:
		keys := slices.SortedFunc(maps.Keys(v), func(a, b string) int {
			m, _ := strconv.Atoi(a)
			n, _ := strconv.Atoi(b)
			return m - n
		})
		all := make([]any, len(keys))
		for i, k := range keys {
			all[i] = v[k]
		}
		return all, true
	}
	return nil, false
}

// texts returns the scalars of an array.
func (p params) texts(name string) (all []string, ok bool) {
	members, ok := p.elements(name)
	for _, m := range members {
		if s, scalar := scalar(m); scalar {
			all = append(all, s)
		}
	}
	return all, ok
}

// signature is what the sign parameter must be: every scalar but sign itself,
// sorted by name, under HMAC-SHA1.
func (p params) signature(secret string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if value, ok := scalar(p[name]); ok && name != "sign" {
			mac.Write([]byte(name + ":" + value + ";"))
		}
	}
	return hex.EncodeToString(mac.Sum(nil))
}
