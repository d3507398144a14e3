// Package alert sends short messages to people: to Discord, Telegram, Slack, or
// any address that takes JSON. It knows nothing of trading; what is worth an
// alert, its caller decides.
//
// Nobody who raises an alert waits for it, and no chat is flooded:
//
//  1. Send cleans the text, takes secrets out of it, and returns.
//  2. A topic (kind, market, and what else it is about) is spoken of at once, and
//     then at most every five minutes: of what comes in between the newest is
//     kept, and goes out with the number of the others. The last word is thus
//     always said. What a person did is told each time.
//  3. Each target has a bounded queue, urgent alerts first, and is written to by
//     one goroutine at its own pace, so that a target that hangs delays no other.
//  4. An alert that could not be delivered is tried again, with growing pauses
//     and those that the target asks for, and given up in the end. What was lost
//     is counted into the next message that arrives.
//
// A target's address is a secret: who has it can write there. No error or log
// shows more of it than its scheme and host.
package alert
