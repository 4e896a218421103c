//! A proxy between the gateway and RingCentral, for stories about the network and about strangers in the middle.
//!
//! Every request passes as it came until a story says otherwise:
//!
//! ```text
//! let held = world.proxy().on("createExtension").times(1).hold();   // arrives when the story lets it
//! held.arrived().await;                                             // one is waiting here
//! held.release();                                                   // RingCentral carries it out now
//! world.proxy().on("listExtensions").lose();                        // the connection ends without an answer
//! world.proxy().on("createExtension").after().times(1).empty();     // carried out, answered without a body
//! world.proxy().on("getToken").times(1).stranger(403, "<html>");    // RingCentral never hears of it
//! ```
//!
//! It never sleeps: time passes when the story moves its clock. A request that is held is carried out even if who sent it has
//! given up meanwhile, as it would be by RingCentral.

mod connection;
mod rule;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::{net::TcpListener, task::JoinSet};

use rule::{Act, Met};
pub use rule::{Held, Rule};

/// The proxy of one world. Clones are the same proxy.
#[derive(Debug, Clone)]
pub struct Proxy(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Where RingCentral is, without a slash at its end.
    upstream: String,
    http: reqwest::Client,
    rules: Mutex<Vec<Met>>,
}

impl Proxy {
    pub(crate) fn new(upstream: String) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self(Arc::new(Shared { upstream, http, rules: Mutex::default() }))
    }

    /// A rule for an operation (RingCentral's `operationId`), before the work is done and until it is cleared.
    pub fn on(&self, operation: &'static str) -> Rule {
        Rule::new(self.clone(), operation)
    }

    /// Lets everything pass again; what is held stays held.
    pub fn clear(&self) {
        self.rules().clear();
    }

    fn add(&self, rule: Met) {
        self.rules().push(rule);
    }

    /// What happens to this request: the first rules that concern it, one before and one after the work.
    fn acts(&self, operation: &str, path: &str) -> [Option<Act>; 2] {
        let mut rules = self.rules();
        [false, true].map(|after| {
            let rule = rules.iter_mut().find(|rule| rule.concerns(operation, path, after))?;
            Some(rule.take())
        })
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Met>> {
        self.0.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn serve(self, listener: TcpListener) {
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            connections.spawn(connection::serve(self.clone(), stream));
        }
    }
}
