// Package crashpoint lets tests end the real program at a chosen line, and move
// its clock, from outside. A normal build has none of it: At is an empty
// function there, and Now is time.Now. Built with -tags crashpoints the program
// obeys two environment variables:
//
//	SKINARB_CRASH_AT    label or label:n. The process kills itself, as a power
//	                    cut would, when it comes to At(label) for the first or
//	                    the nth time.
//	SKINARB_CLOCK_FILE  a file with a duration, such as -1h. Now is off by that
//	                    much, whenever it changes, like a clock that was set.
//
// At and Now may be called by many goroutines.
package crashpoint

// The lines at which a test may end the program. Each says what has just
// happened.
const (
	RecoveryBegun = "recovery-begun" // nothing of the last run was seen to yet
	BooksOpened   = "books-opened"   // an account's books were opened

	BeforeReserve = "before-reserve" // the market was asked for its ask, nothing is written
	Reserved      = "reserved"       // planned is written
	PermitTaken   = "permit-taken"   // of the account's budget
	BeforeSent    = "before-sent"    // every check has passed
	SentWritten   = "sent-written"   // no byte of the request has left

	SilenceWritten = "silence-written" // recovery has put an order in doubt that was sent when the last run ended
	LookedUp       = "looked-up"       // the market told of one order, nothing is written

	RequestWritten  = "request-written"  // no further byte of the purchase will leave
	AnswerReceived  = "answer-received"  // or the lack of one
	AnswerWritten   = "answer-written"   // whatever it was
	EvidenceWritten = "evidence-written" // the market's word, whichever way it came

	Adopted         = "adopted"           // a purchase that was not in the journal was entered
	NotFoundWritten = "not-found-written" // the order may be sent again
	Withdrawn       = "withdrawn"         // a planned order is cancelled
	StopWritten     = "stop-written"      // nobody has been told yet that trading is stopped
)

// Labels lists every line that At marks, in an order in which ending the program
// at one makes it come to the next.
var Labels = []string{
	RecoveryBegun, BooksOpened,
	BeforeReserve, Reserved, PermitTaken, BeforeSent, SentWritten,
	SilenceWritten, LookedUp,
	RequestWritten, AnswerReceived, AnswerWritten, EvidenceWritten,
	Adopted, NotFoundWritten, Withdrawn, StopWritten,
}
