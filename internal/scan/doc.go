// Package scan reads the markets' catalogs off the wire: JSON of hundreds of
// megabytes, in one pass, holding only a window of it, and without allocating
// for names that an earlier pull has seen. It knows JSON and names, and no
// market.
//
// A Scanner walks over a body and gives its rows. Practically all of them are
// flat objects without escapes, which a Row reads where they lie, in one pass.
// Whatever a Row gives up on, be it an escape, a nested value or a row that the
// window holds only in part, comes back as the bytes of one valid value, for an
// ordinary decoder. A Row must therefore read what it takes exactly as that
// decoder would; tests and fuzzing hold the two against each other.
//
// What stands between the rows, and after the last one, is checked as strictly
// as encoding/json checks it. A body that ends before its last bracket is an
// error and never a shorter catalog.
//
// Names remembers what each spelling of a catalog means, Words short texts that
// come again and again, and Ahead inflates while the scanner scans.
package scan
