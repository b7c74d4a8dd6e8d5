#pragma once

#include <string>

#include "engine/text/jinja/value.h"

namespace pareto::text::jinja {

/// value|name(arguments). Failure names a filter that does not exist.
Value applyFilter(const std::string& name, const Value& value, const Arguments& arguments);
/// value is name(arguments).
bool applyTest(const std::string& name, const Value& value, const Arguments& arguments);
/// value.name(arguments) of a text, list or mapping. `found` says whether there is such a method; the
/// ones that change a value in place do not exist.
Value callMethod(const std::string& name, const Value& value, const Arguments& arguments, bool& found);
/// value.attribute or value["attribute"]; undefined when there is none. Failure when the value itself
/// is undefined.
Value attributeOf(const Value& value, const std::string& name);
/// value[index]
Value itemOf(const Value& value, const Value& index);
/// range(…) of Python.
Value rangeOf(const Arguments& arguments);

}  // namespace pareto::text::jinja
