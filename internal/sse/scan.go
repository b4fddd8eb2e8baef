package sse

import "bytes"

// scan goes on through what has been read, and reports whether an event ends
// in it. It moves nothing, so that the event before stays as it is.
func (r *Reader) scan() bool {
	if r.ready {
		return true
	}
	if r.cr && r.line < r.to {
		r.cr = false
		if r.buf[r.line] == '\n' {
			r.line++
			r.seen = r.line
			if r.from == r.line-1 && !r.parts {
				r.ready, r.shape = true, Tail
				return true
			}
		}
	}
	for {
		end := r.lineEnd()
		if end < 0 {
			return false
		}
		if r.ends(end) {
			r.ready, r.shape = true, Whole
			if r.parts {
				r.shape = Last
			}
			return true
		}
	}
}

// lineEnd returns where the line at hand ends, -1 if it has not come. Each
// byte is looked at once for a LF and once for a CR, however it comes.
func (r *Reader) lineEnd() int {
	r.feed = max(r.feed, r.seen)
	i := bytes.IndexByte(r.buf[r.feed:r.to], '\n')
	if i < 0 {
		i = r.to - r.feed
	}
	r.feed += i
	if i := bytes.IndexByte(r.buf[r.seen:r.feed], '\r'); i >= 0 {
		return r.seen + i
	}
	r.seen = r.feed
	if r.feed == r.to {
		return -1
	}
	return r.feed
}

// ends takes the line that ends at end, goes on to the next, and reports
// whether the event ends with it.
func (r *Reader) ends(end int) bool {
	from, next := r.line, end+1
	if r.buf[end] == '\r' {
		if r.cr = next == r.to; !r.cr && r.buf[next] == '\n' {
			next++
		}
	}
	if r.first {
		from += len(r.buf[from:end]) - len(bytes.TrimPrefix(r.buf[from:end], []byte("\ufeff")))
		r.first = false
	}
	cut := r.cut
	blank, comment := from == end && !cut, !cut && from < end && r.buf[from] == ':'
	if !blank && !comment {
		r.begun = true
		r.field(from, end)
	}
	r.line, r.seen, r.cut = next, next, false
	return blank || comment && !r.begun
}

// field takes the line buf[from:to], or what has come of it.
func (r *Reader) field(from, to int) {
	line := r.buf[from:to]
	if r.first {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	if r.cut {
		if r.long {
			r.add(from, to)
		}
		return
	}
	r.long = false
	if v, found := value(line, "data"); found {
		r.long = true
		r.add(to-len(v), to)
	} else if v, found := value(line, "event"); found {
		r.name = span{to - len(v), to}
	}
}

// add adds a data line.
func (r *Reader) add(from, to int) {
	if r.lines++; r.lines == 1 {
		r.data = span{from, to}
	}
}

// value returns the value of a line if it has that field.
func value(line []byte, field string) (v []byte, found bool) {
	if len(line) < len(field) || string(line[:len(field)]) != field {
		return nil, false
	}
	v = line[len(field):]
	switch {
	case len(v) == 0:
		return v, true
	case v[0] != ':':
		return nil, false
	case len(v) > 1 && v[1] == ' ':
		return v[2:], true
	}
	return v[1:], true
}

// part hands out what has come of an event that is too long. A line that does
// not tell yet which field it is stays.
func (r *Reader) part() Event {
	r.begun = true
	if r.cut || r.to-r.line >= telling {
		if r.line < r.to {
			r.field(r.line, r.to)
			r.cut = true
		}
		r.line, r.seen = r.to, r.to
		r.first = false
	}
	return r.hand(Piece)
}

// join joins the data lines of the event at hand, of which there are several.
func (r *Reader) join() []byte {
	r.joined = append(r.joined[:0], r.buf[r.data.from:r.data.to]...)
	for rest := r.buf[r.data.to:r.line]; len(rest) > 0; {
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			end = len(rest)
		}
		if v, found := value(rest[:end], "data"); found {
			r.joined = append(append(r.joined, '\n'), v...)
		}
		rest = rest[min(end+1, len(rest)):]
	}
	return r.joined
}
