using System.Reflection;

namespace FewStep.Checkpoints;

/// <summary>Reads the <c>config.json</c> of a class of diffusers strictly.</summary>
internal static class DiffusersConfigFile
{
    // What diffusers' EMAModel adds to the configuration of the network that it averages, and what training leaves there.
    private static readonly string[] OfTraining =
        ["decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup", "gradient_checkpointing"];

    /// <summary>Reads the configuration of one class; <see cref="From"/>.</summary>
    /// <param name="name">The class that it must name.</param>
    public static T Read<T>(string path, string name, params ReadOnlySpan<string> withoutEffect)
    {
        var given = JsonFile.ReadPython(path);
        string found = OtherNetworks.ClassOf(given) ?? throw new InvalidInputException($"{path}: _class_name is missing; known is {name}.");
        return found == name ? From<T>(given, path, withoutEffect)
            : throw new InvalidInputException($"{path} describes {OtherNetworks.OfClass(found)}; read is {name}.");
    }

    /// <summary>The record of members that were read from a file. One that the record has no property for is refused with its value, for it
    /// could change what the network computes; but for null, which is every later argument's default, and what training leaves
    /// there.</summary>
    /// <param name="withoutEffect">Further members that change nothing.</param>
    public static T From<T>(Dictionary<string, JsonElement> given, string path, params ReadOnlySpan<string> withoutEffect)
    {
        HashSet<string> known = [.. typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Select(property => JsonFile.Options.PropertyNamingPolicy!.ConvertName(property.Name))];
        foreach (var (key, value) in given.ToList())
        {
            bool ignored = key.StartsWith('_') || OfTraining.Contains(key) || withoutEffect.Contains(key);
            if (!ignored && !known.Contains(key) && value.ValueKind != JsonValueKind.Null)
            {
                throw new InvalidInputException($"{path}: {Printable.Line(key, 60)} is {Printable.Line(value.GetRawText(), 60)}, a setting "
                    + "that is not known here and could change what the network computes.");
            }

            if (!known.Contains(key))
                given.Remove(key);
        }

        return JsonFile.From<T>(given, path);
    }

    /// <summary>Refuses a value that is not known.</summary>
    /// <param name="known">The values that are, in words.</param>
    public static void Need(bool holds, string path, string key, object? value, string known)
    {
        if (!holds)
        {
            string shown = value switch
            {
                string text => Printable.Text(text),
                JsonElement { ValueKind: JsonValueKind.Undefined } => "missing",
                JsonElement json => Printable.Line(json.GetRawText(), 60),
                _ => string.Create(CultureInfo.InvariantCulture, $"{value ?? "null"}"),
            };
            throw new InvalidInputException($"{path}: {key} is {shown}; known is {known}.");
        }
    }

    /// <summary>The side that <c>sample_size</c> states, as one number or two equal ones; null where it states none.</summary>
    public static int? Side(string path, JsonElement sampleSize) => sampleSize.ValueKind switch
    {
        JsonValueKind.Number when sampleSize.TryGetInt32(out int side) => side,
        JsonValueKind.Array when sampleSize.EnumerateArray().Select(e =>
            e.ValueKind == JsonValueKind.Number && e.TryGetInt32(out int side) ? side : 0).Distinct().ToArray() is [var side] => side,
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        _ => throw new InvalidInputException($"{path}: sample_size is neither a whole number nor two equal ones."),
    };

    /// <summary>A whole number for each level, which is stated once for all or as a list.</summary>
    public static IReadOnlyList<int> EachLevel(string path, string key, JsonElement value, int absent, int levels)
    {
        int[] numbers = value.ValueKind switch
        {
            JsonValueKind.Undefined => [.. Enumerable.Repeat(absent, levels)],
            JsonValueKind.Number when value.TryGetInt32(out int number) => [.. Enumerable.Repeat(number, levels)],
            JsonValueKind.Array when value.GetArrayLength() == levels && value.EnumerateArray().All(IsWhole)
                => [.. value.EnumerateArray().Select(e => e.GetInt32())],
            _ => [],
        };
        Need(numbers.Length == levels, path, key, value, InvariantText.Of($"a whole number, or a list of {levels} of them"));
        return numbers;
    }

    private static bool IsWhole(JsonElement value) => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out _);
}
