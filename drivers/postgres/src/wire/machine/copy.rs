use bytes::BytesMut;
use underpin_core::Error;

use super::Machine;
use crate::wire::put;
use crate::wire::request::{Listen, Request};

/// A COPY that takes rows, and the requests behind it.
impl<L: Listen> Machine<L> {
    /// Requests a COPY that `write` writes, whose rows are written with
    /// [`copy_data`](Machine::copy_data). Requests that are made meanwhile are written behind its
    /// end.
    ///
    /// # Errors
    /// Those of `write`. Nothing is sent then.
    pub(crate) fn copy_in(
        &mut self,
        listener: L,
        write: impl FnOnce(&mut BytesMut) -> Result<u8, Error>,
    ) -> Result<u64, Error> {
        self.sync_open();
        let (start, length) = (self.position(), self.out().len());
        match write(self.out()) {
            Ok(left) => {
                // It is granted or refused before any Sync, which a server that grants it skips.
                put::flush(self.out());
                let request = self.request(Some(listener), start, left);
                let number = self.add(Request {
                    synced: false,
                    is_copy: true,
                    takes_rows: true,
                    reach: u64::MAX,
                    ..request
                });
                if self.copying.is_none() {
                    self.copying = Some(number);
                }
                Ok(number)
            }
            Err(error) => {
                self.out().truncate(length);
                Err(error)
            }
        }
    }

    /// Writes rows of a COPY. Returns whether it still takes rows.
    pub(crate) fn copy_data(&mut self, number: u64, rows: &[u8]) -> bool {
        let takes = self.copying == Some(number);
        if takes {
            put::copy_data(&mut self.out, rows);
        }
        takes
    }

    /// Ends a COPY: with its rows, or without any.
    pub(crate) fn end_copy(&mut self, number: u64, well: bool) {
        if self.copying == Some(number) {
            match well {
                true => put::copy_done(&mut self.out),
                false => put::copy_fail(&mut self.out),
            }
            self.sync_copy(well);
        }
    }

    /// Writes the Sync of a COPY, and the requests behind it.
    pub(super) fn sync_copy(&mut self, well: bool) {
        let Some(number) = self.copying.take().filter(|number| *number >= self.first) else {
            return;
        };
        let end = self.position();
        put::sync(&mut self.out);
        let behind = self.position();
        let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
        for (place, request) in self.requests.iter_mut().enumerate().skip(at) {
            if place == at {
                request.synced = true;
                request.takes_rows = false;
                if well {
                    request.reach = end;
                }
                continue;
            }
            request.start += behind;
            request.reach = request.reach.saturating_add(behind);
        }
        let held = std::mem::take(&mut self.behind);
        self.out.extend_from_slice(&held);
        // Another COPY may be among them.
        let next = self.requests.iter().enumerate().skip(at + 1);
        let next = next.map(|(place, request)| (place, request.takes_rows));
        if let Some((place, _)) = next.into_iter().find(|(_, takes_rows)| *takes_rows) {
            self.split_behind(self.first + place as u64);
        }
    }

    /// Holds back the requests behind another COPY.
    fn split_behind(&mut self, copy: u64) {
        let at = usize::try_from(copy - self.first).unwrap_or(usize::MAX);
        let start = self.requests.get(at + 1).map(|next| next.start);
        if let Some(start) = start {
            let from = usize::try_from(start.saturating_sub(self.taken)).unwrap_or(self.out.len());
            self.behind = self.out.split_off(from.min(self.out.len()));
            for request in self.requests.iter_mut().skip(at + 1) {
                request.start -= start;
                request.reach = match request.reach {
                    u64::MAX => u64::MAX,
                    reach => reach - start,
                };
            }
        }
        self.copying = Some(copy);
        let listener = self
            .requests
            .get(at)
            .and_then(|copy| copy.listener.as_ref());
        if listener.is_none_or(L::is_gone) {
            self.end_copy(copy, false);
        }
    }
}
