//! The engine's values and failures as Python objects; runs only on threads that hold the GIL.

use mosaic_miden_engine::Failure;
use mosaic_miden_engine::value::{AccountRow, AssetRow, NodeStatus, Synced, Value};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

pyo3::create_exception!(
    mosaic_miden_client,
    MidenError,
    PyException,
    "A client's failure: `code` to branch on, `message`, and `chain`, the causes' texts, outermost \
     first."
);

/// The exception for a failure, with its parts as attributes.
pub fn raised(failure: Failure) -> PyErr {
    Python::attach(|py| match as_exception(py, &failure) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    })
}

pub fn as_exception<'py>(py: Python<'py>, failure: &Failure) -> PyResult<Bound<'py, PyAny>> {
    let mut text = failure.message.clone();
    for cause in &failure.chain {
        text.push_str(": ");
        text.push_str(cause);
    }
    let error = py.get_type::<MidenError>().call1((text,))?;
    error.setattr("code", failure.code.as_str())?;
    error.setattr("message", &failure.message)?;
    error.setattr("chain", PyTuple::new(py, &failure.chain)?)?;
    Ok(error)
}

pub fn as_object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Done | Value::Skipped | Value::Account(None) => py.None().into_bound(py),
        Value::NodeStatus(status) => node_status(py, status)?.into_any(),
        Value::Synced(summary) => synced(py, summary)?.into_any(),
        Value::AccountId(id) => id.into_pyobject(py)?.into_any(),
        Value::Account(Some(row)) => account(py, row)?.into_any(),
        Value::Accounts(rows) => {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| account(py, row))
                .collect::<PyResult<_>>()?;
            PyTuple::new(py, rows)?.into_any()
        }
        Value::AccountStatus(row, assets) => {
            let dict = account(py, row)?;
            let assets: Vec<_> = assets
                .iter()
                .map(|row| asset(py, row))
                .collect::<PyResult<_>>()?;
            dict.set_item("assets", PyTuple::new(py, assets)?)?;
            dict.into_any()
        }
    })
}

fn node_status<'py>(py: Python<'py>, status: &NodeStatus) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("version", &status.version)?;
    dict.set_item("genesis_commitment", &status.genesis_commitment)?;
    dict.set_item("chain_tip", status.chain_tip)?;
    Ok(dict)
}

fn synced<'py>(py: Python<'py>, summary: &Synced) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("block_number", summary.block_number)?;
    for (name, ids) in [
        ("new_public_notes", &summary.new_public_notes),
        ("committed_notes", &summary.committed_notes),
        ("consumed_notes", &summary.consumed_notes),
        ("updated_accounts", &summary.updated_accounts),
        ("locked_accounts", &summary.locked_accounts),
        ("committed_transactions", &summary.committed_transactions),
    ] {
        dict.set_item(name, PyTuple::new(py, ids)?)?;
    }
    Ok(dict)
}

fn account<'py>(py: Python<'py>, row: &AccountRow) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("account_id", &row.account_id)?;
    dict.set_item("storage_mode", row.storage_mode)?;
    dict.set_item("state", row.state)?;
    dict.set_item("nonce", row.nonce)?;
    Ok(dict)
}

fn asset<'py>(py: Python<'py>, row: &AssetRow) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("faucet", &row.faucet)?;
    dict.set_item("amount", row.amount)?;
    Ok(dict)
}
