package partner

// Bounds that tests go up to.
const (
	MaxPolled = maxPolled
	PollLasts = pollLasts
)

// Canonical gives what a signature of text is of.
func Canonical(text []byte) ([]byte, error) {
	v, err := parse(text)
	return v.append(nil), err
}
