namespace FewStep.Checkpoints;

/// <summary>What the <c>config.json</c> of all networks of diffusers have in common. A key that a configuration's record has no member for
/// is refused with its value, for it could change what the network computes; but for null, which is every later argument's default, and
/// what training leaves there.</summary>
internal static class DiffusersConfigFile
{
    // What diffusers' EMAModel adds to the configuration of the network that it averages.
    private static readonly string[] OfTraining =
        ["decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup", "gradient_checkpointing"];

    /// <summary>The record of members that were read from a file.</summary>
    public static T From<T>(Dictionary<string, JsonElement> given, string path)
    {
        HashSet<string> known = [.. typeof(T).GetProperties(
            System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.Instance)
            .Select(property => JsonFile.Options.PropertyNamingPolicy!.ConvertName(property.Name))];
        foreach (var (key, value) in given.ToList())
        {
            if (known.Contains(key))
                continue;
            if (!key.StartsWith('_') && !OfTraining.Contains(key) && value.ValueKind != JsonValueKind.Null)
            {
                throw new InvalidInputException($"{path}: {Printable.Line(key, 60)} is {Printable.Line(value.GetRawText(), 60)}, a setting "
                    + "that is not known here and could change what the network computes.");
            }

            given.Remove(key);
        }

        return JsonFile.From<T>(given, path);
    }

    /// <summary>Refuses a value by its key.</summary>
    public static void Need(bool holds, string path, string key, object? value, string known)
    {
        if (holds)
            return;
        string shown = value is string text ? Printable.Text(text)
            : string.Create(CultureInfo.InvariantCulture, $"{value ?? "null"}");
        throw new InvalidInputException($"{path}: {key} is {shown}; known is {known}.");
    }
}
