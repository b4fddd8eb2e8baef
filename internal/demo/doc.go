// Package demo is an upstream in the forms of OpenAI, Anthropic, Gemini and
// Azure with answers that depend on nothing but the question, for tests, for
// benchmarks and for a look at the relay without a key. A request can ask for
// faults and for the shape of its answer, and the server keeps books of what it
// served.
//
// It does not run models, call tools or check that a request makes sense
// beyond what an answer needs; any model is served. A token is a word with the
// white space before it, and usage counts tokens.
//
// # Endpoints
//
//	POST /v1/chat/completions      whole and streamed, with stream_options.include_usage
//	POST /v1/completions           the same
//	POST /v1/responses             whole and streamed, as typed events
//	POST /v1/embeddings            float and base64, 1536 dimensions or as many as asked
//	POST /v1/moderations           flags the word "violence"
//	POST /v1/images/generations    one pixel as b64_json
//	POST /v1/audio/transcriptions  multipart in; json and text out, never streamed
//	POST /v1/audio/speech          chunked bytes out, 1 KiB for each word
//	GET  /v1/models, /v1/models/X  a fixed list, or that of [Options]
//	any  /v1/echo, /v1/echo/…      the request's body and Content-Type, nothing else
//	GET  /v1/realtime              a WebSocket that sends every message back
//
// Anthropic's, which share the list of models if they name an anthropic-version:
//
//	POST /v1/messages              whole and streamed, with a ping
//	POST /v1/messages/count_tokens
//
// Gemini's, MODEL:VERB under /v1/models/ too:
//
//	POST /v1beta/models/MODEL:generateContent
//	POST /v1beta/models/MODEL:streamGenerateContent  events with alt=sse, else a JSON list
//	POST /v1beta/models/MODEL:countTokens
//	POST /v1beta/models/MODEL:embedContent           768 dimensions or as many as asked
//	POST /v1beta/models/MODEL:batchEmbedContents     the same
//	GET  /v1beta/models, /v1beta/models/X            the same list
//
// Azure's:
//
//	POST /openai/deployments/NAME/…?api-version=…    what POST /v1/… does, for the model NAME
//	any  /openai/v1/…                                what /v1/… does
//
// Errors have the form of the path's API, those that are asked for as well, and
// the key may stand where that API has it.
//
// # Headers
//
// These headers of a request, or what [Server.Script] returns for it, shape its
// answer. Any other X-Demo header and any value that does not fit is a 400
// "bad_demo_header" that names it. The order is that of events in a request.
//
//	X-Demo-Read            N: read at most N bytes of the body, then answer; the client's leaving goes unnoticed
//	X-Demo-Fail            name=N:S: the first N requests of that name get the status S, 400 to 599, or S=reset; before X-Demo-Status
//	X-Demo-Status          200 to 599: the answer's status; from 400 on, the body is an error
//	X-Demo-Code            the code of that error, and of X-Demo-Error-Event; Anthropic's type, Google's status
//	X-Demo-Retry-After     the Retry-After of that error, as it stands
//	X-Demo-Retry-After-Ms  its retry-after-ms, as it stands
//	X-Demo-Latency         a duration, 20ms: wait before any answer
//	X-Demo-Reset           true: close the connection instead of answering; headers: in the middle of the headers
//	X-Demo-Early           103,102: answers before the answer; 103 brings a Link
//	X-Demo-Header          Name: value: a header of the answer, in place of its own; repeatable
//	X-Demo-Length          fixed or chunked: with Content-Length or without; a stream is chunked, a body fixed
//	X-Demo-First-Token     20ms: a stream's headers and silent events go out, then the rest comes so much later
//	X-Demo-Tokens          N: the text has N tokens before max_tokens cuts it; speech has N pieces
//	X-Demo-Empty           true: no body, no event
//	X-Demo-Error-Event     N: after N events of a stream comes an error event, and nothing more
//	X-Demo-Comment         a text: ": text" before each event of a stream
//	X-Demo-Newline         lf, crlf or cr: the line ends of a stream; lf
//	X-Demo-Encoding        gzip, br, or bad-gzip: says gzip and is none; whatever Accept-Encoding says
//	X-Demo-Packets         bytes=N, events=N: how much goes out at once; at=3,10,11: where it is cut; one event
//	X-Demo-Pace            20ms or 50/s: the time between two packets
//	X-Demo-Break           bytes=N or events=N: break the connection off after so much; at the end if it is less
//	X-Demo-Stall           bytes=N or events=N: after so much send nothing until the client leaves
//	X-Demo-Trailer         Name: value: a trailer after the body; repeatable
//
// Over HTTP/2 a reset in the headers is one before them. Silent events are those
// that say nothing yet: a role, response.created, message_start, ping. Bytes
// count the body as it goes out, encoded; [DONE] is an event, and so are each
// item of a JSON list and its end. A WebSocket knows of these X-Demo-Latency,
// -Header and -Break, and those of errors.
package demo
