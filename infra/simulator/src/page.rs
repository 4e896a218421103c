//! Pages: `page` and `perPage` of a request, and the envelope `uri, records, paging, navigation` of an answer.

use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::error::ApiError;

/// The page a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// From 1.
    number: usize,
    size: usize,
}

/// The largest page of every list.
const LARGEST: usize = 1000;

impl Page {
    /// Reads `page` (from 1, default 1) and `perPage` (1 to 1000 or `max`, default 100). CMN-101 names the one
    /// that is wrong.
    pub(crate) fn asked(call: &Call) -> Result<Self, ApiError> {
        let number = match call.query.get("page") {
            None => 1,
            Some(text) => {
                text.parse().ok().filter(|page| *page >= 1).ok_or_else(|| ApiError::invalid("page"))?
            }
        };
        let size = match call.query.get("perPage") {
            None => 100,
            Some("max") => LARGEST,
            Some(text) => text
                .parse()
                .ok()
                .filter(|size| (1..=LARGEST).contains(size))
                .ok_or_else(|| ApiError::invalid("perPage"))?,
        };
        Ok(Self { number, size })
    }

    /// A single page that holds everything, for the lists without paging parameters.
    pub(crate) fn whole(total: usize) -> Self {
        Self { number: 1, size: total.max(1) }
    }

    /// The envelope of this page of `all`. `totals` adds `totalPages`, `totalElements` and `lastPage`; the call
    /// log has none of them.
    pub(crate) fn envelope<T>(
        self,
        call: &Call,
        all: &[T],
        totals: bool,
        render: impl Fn(&T) -> Value,
    ) -> Value {
        let from = self.number.saturating_sub(1).saturating_mul(self.size).min(all.len());
        let records: Vec<Value> = all.iter().skip(from).take(self.size).map(render).collect();
        let pages = all.len().div_ceil(self.size).max(1);

        let mut paging = Map::new();
        paging.insert("page".into(), json!(self.number));
        paging.insert("perPage".into(), json!(self.size));
        if !records.is_empty() {
            paging.insert("pageStart".into(), json!(from));
            paging.insert("pageEnd".into(), json!(from + records.len() - 1));
        }
        let mut navigation = Map::new();
        navigation.insert("firstPage".into(), self.link(call, 1));
        if self.number > 1 {
            navigation.insert("previousPage".into(), self.link(call, self.number - 1));
        }
        if from + records.len() < all.len() {
            navigation.insert("nextPage".into(), self.link(call, self.number + 1));
        }
        if totals {
            paging.insert("totalPages".into(), json!(pages));
            paging.insert("totalElements".into(), json!(all.len()));
            navigation.insert("lastPage".into(), self.link(call, pages));
        }
        json!({"uri": call.uri(), "records": records, "paging": paging, "navigation": navigation})
    }

    fn link(self, call: &Call, number: usize) -> Value {
        let query = call.query.with("page", number).with("perPage", self.size);
        json!({"uri": query.uri(&call.base, &call.path)})
    }
}
