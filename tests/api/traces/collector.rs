//! A collector of traces that takes spans by OTLP over HTTP, and keeps them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

#[derive(Default)]
struct Taken {
    spans: Vec<Span>,
    resources: Vec<KeyValue>,
    heads: Vec<String>,
}

pub struct Collector {
    pub port: u16,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub fn start(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let taken = Arc::<Mutex<Taken>>::default();
        let keeping = Arc::clone(&taken);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (socket, taken) = (socket.unwrap(), Arc::clone(&keeping));
                std::thread::spawn(move || while take(&socket, &taken).is_some() {});
            }
        });
        Self { port, taken }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Waits until `look` finds what it looks for among the spans that have arrived.
    #[track_caller]
    pub fn wait_until<T>(&self, look: impl Fn(&[Span]) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let spans = self.spans();
            if let Some(found) = look(&spans) {
                return found;
            }
            let names: Vec<_> = spans.iter().map(|span| &span.name).collect();
            assert!(started.elapsed() < Duration::from_secs(20), "in vain among {names:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until so many spans of this name have arrived, and returns them.
    #[track_caller]
    pub fn wait_for(&self, name: &str, count: usize) -> Vec<Span> {
        self.wait_until(|spans| {
            let found: Vec<Span> = spans.iter().filter(|span| span.name == name).cloned().collect();
            (found.len() >= count).then_some(found)
        })
    }

    pub fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// The heads of all requests.
    pub fn heads(&self) -> Vec<String> {
        self.taken.lock().unwrap().heads.clone()
    }

    pub fn resource(&self, key: &str) -> Option<String> {
        text(&self.taken.lock().unwrap().resources, key)
    }
}

/// Takes a request, and answers it.
fn take(mut socket: &TcpStream, taken: &Mutex<Taken>) -> Option<()> {
    let mut reader = BufReader::new(socket);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase().split_once("content-length: ")?.1.split_once('\r')?.0.parse();
    let mut body = vec![0; length.ok()?];
    reader.read_exact(&mut body).ok()?;
    let request = ExportTraceServiceRequest::decode(&*body).unwrap();
    {
        let mut taken = taken.lock().unwrap();
        taken.heads.push(head);
        for of_resource in request.resource_spans {
            taken.resources.extend(of_resource.resource.unwrap_or_default().attributes);
            taken.spans.extend(of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()
}

/// The value of an attribute, as text.
pub fn attribute(span: &Span, key: &str) -> Option<String> {
    text(&span.attributes, key)
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match &found.value {
        Some(AnyValue { value: Some(Value::StringValue(text)) }) => Some(text.clone()),
        Some(AnyValue { value: Some(Value::IntValue(number)) }) => Some(number.to_string()),
        other => panic!("{key} is {other:?}"),
    }
}
