//! The account: its extensions, sites, calls and messages. It owns what exists and how it is written as JSON;
//! it validates nothing and knows no requests.

pub(crate) mod calls;
pub(crate) mod extensions;
pub(crate) mod messages;
mod names;
pub(crate) mod seed;
pub(crate) mod sites;

use std::collections::BTreeMap;

use calls::CallRecord;
use extensions::Extension;
use messages::Message;
use sites::Site;

/// Everything one account holds.
#[derive(Debug)]
pub(crate) struct World {
    /// Also the id of the first extension, the administrator.
    pub(crate) account_id: u64,
    pub(crate) main_number: String,
    pub(crate) extensions: BTreeMap<u64, Extension>,
    pub(crate) sites: Vec<Site>,
    /// Newest first; equal start times are in the order of their ids.
    pub(crate) calls: Vec<CallRecord>,
    /// By extension id, newest first.
    pub(crate) mailboxes: BTreeMap<u64, Vec<Message>>,
    next_id: u64,
}

impl World {
    /// A new id, integer as RingCentral's: twelve digits that end with 008.
    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1000;
        self.next_id
    }

    /// The id that was given last.
    pub(crate) fn last_id(&self) -> u64 {
        self.next_id
    }

    /// Gives ids after this one.
    pub(crate) fn go_on_after(&mut self, id: u64) {
        self.next_id = self.next_id.max(id);
    }

    /// The path of the account.
    pub(crate) fn account_path(&self) -> String {
        format!("/restapi/v1.0/account/{}", self.account_id)
    }

    /// The path of an extension of the account.
    pub(crate) fn extension_path(&self, extension: u64) -> String {
        format!("{}/extension/{extension}", self.account_path())
    }

    /// Ids of the users who can log in, make calls and own a mailbox; the administrator is the first.
    pub(crate) fn enabled_users(&self) -> Vec<u64> {
        self.extensions.values().filter(|one| one.is_enabled_user()).map(|one| one.id).collect()
    }

    /// Whether another extension or site has this extension number.
    pub(crate) fn number_taken(&self, number: &str, except: Option<u64>) -> bool {
        self.extensions
            .values()
            .any(|one| Some(one.id) != except && one.text("extensionNumber") == Some(number))
            || self.sites.iter().any(|site| site.text("extensionNumber") == Some(number))
    }

    /// The lowest free extension number from 101.
    pub(crate) fn free_number(&self) -> String {
        (101..)
            .map(|number: u64| number.to_string())
            .find(|one| !self.number_taken(one, None))
            .unwrap_or_default()
    }

    /// Adds a message as the newest of its mailbox.
    pub(crate) fn deliver(&mut self, message: Message) {
        self.mailboxes.entry(message.extension).or_default().insert(0, message);
    }
}
