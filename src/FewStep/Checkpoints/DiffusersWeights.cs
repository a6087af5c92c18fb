using System.Text.RegularExpressions;

namespace FewStep.Checkpoints;

/// <summary>The weights beside the configuration of a network of diffusers: one file or shards with an index, of safetensors or
/// <c>torch.save</c>, perhaps of a variant (<c>fp16</c>, <c>bf16</c>, <c>non_ema</c>).</summary>
/// <param name="Path">The file, or the index of the shards.</param>
/// <param name="Files">The file, or the shards.</param>
internal sealed partial record DiffusersWeights(string Path, IReadOnlyList<string> Files, string? Variant)
{
    public const string Stem = "diffusion_pytorch_model";
    private const string NonAveraged = "non_ema";

    // Where a folder has variants only, the first of these.
    private static readonly string[] Preferred = ["fp32", "fp16", "bf16", "ema"];

    /// <summary>Whether a folder has weights under diffusers' names.</summary>
    public static bool Are(string folder) => Directory.Exists(folder) && Candidates(folder).Count > 0;

    /// <summary>Whether a file has a name of such weights.</summary>
    public static bool IsOne(string file) => File.Exists(file) && Parse(System.IO.Path.GetFileName(file)) is not null;

    /// <summary>Finds the weights of a variant; null is those without one, or where there are none of these the most usual
    /// variant.</summary>
    public static DiffusersWeights Find(string folder, string? variant)
    {
        var all = Candidates(folder);
        if (all.Count == 0)
        {
            throw new InvalidInputException(
                $"{folder} has no weights: {Stem}.safetensors or {Stem}.bin, of a variant, or the index of their shards is missing.");
        }

        string[] variants = [.. all.Select(c => c.Variant).OfType<string>().Distinct()];
        string? wanted = variant ?? (all.Exists(c => c.Variant is null) ? null
            : Preferred.FirstOrDefault(variants.Contains) ?? variants.Order(StringComparer.Ordinal).MinBy(v => v == NonAveraged));
        var found = all.Where(c => c.Variant == wanted).OrderBy(c => c.IsTorch).ThenBy(c => c.IsIndex).FirstOrDefault()
            ?? throw new InvalidInputException($"{folder} has no weights of the variant {Printable.Text(variant!)}; it has "
                + $"{(variants.Length == 0 ? "none but those without a variant"
                    : string.Join(", ", variants.Take(8).Select(Printable.Text)))}.");
        return Of(System.IO.Path.Combine(folder, found.Name), found.Variant, found.IsIndex);
    }

    /// <summary>The weights that one file, or the index of shards, holds.</summary>
    public static DiffusersWeights At(string file) => Parse(System.IO.Path.GetFileName(file)) is { } found
        ? Of(file, found.Variant, found.IsIndex)
        : throw new InvalidInputException($"{file} is no file of weights, or one of several shards; give its folder or the index.");

    /// <returns>All tensors; the caller owns them.</returns>
    public TensorsByName Read()
    {
        var all = new TensorsByName();
        try
        {
            foreach (string file in Files)
            {
                foreach (var (name, tensor) in StateDictionary.Read(file).Tensors)
                {
                    if (all.TryAdd(name, tensor))
                        continue;
                    tensor.Dispose();
                    throw new InvalidInputException($"{Path}: two of its shards hold {Printable.Text(name)}. Fetch them again.");
                }
            }

            return all;
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    private static DiffusersWeights Of(string path, string? variant, bool isIndex)
        => new(path, isIndex ? Shards(path) : [path], variant);

    private static List<Candidate> Candidates(string folder)
        => [.. Directory.EnumerateFiles(folder, Stem + ".*").Select(f => Parse(System.IO.Path.GetFileName(f))).OfType<Candidate>()];

    private static Candidate? Parse(string name)
    {
        var match = FileName().Match(name);
        if (!match.Success)
            return null;
        string variant = match.Groups["variant"].Value;
        return new Candidate(name, variant.Length == 0 ? null : variant, match.Groups["kind"].Value == "bin",
            match.Groups["index"].Success);
    }

    // Names from a file: none of them leaves the folder.
    private static List<string> Shards(string index)
    {
        var given = JsonFile.ReadPython(index);
        if (!given.TryGetValue("weight_map", out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw new InvalidInputException($"{index} has no weight_map, so it is no index of shards. Fetch it again.");
        string folder = System.IO.Path.GetDirectoryName(index) ?? "";
        var names = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in map.EnumerateObject())
        {
            string name = OtherNetworks.Text(entry.Value) is { Length: > 0 } text ? text
                : throw new InvalidInputException($"{index}: its weight_map names no file for {Printable.Text(entry.Name)}.");
            if (!known.Add(name))
                continue;
            if (name.AsSpan().IndexOfAny("/\\:\0") >= 0 || name is "." or "..")
                throw new InvalidInputException($"{index} names the shard {Printable.Text(name)}, which is no file in its own folder.");
            string file = System.IO.Path.Combine(folder, name);
            names.Add(File.Exists(file) ? file : throw new InvalidInputException(
                $"{index} names the shard {Printable.Text(name)}, which is missing. Fetch all shards into its folder."));
        }

        return names.Count > 0 ? names : throw new InvalidInputException($"{index} names no shards. Fetch it again.");
    }

    [GeneratedRegex(
        @"^diffusion_pytorch_model(\.(?<variant>\w+))?\.(?<kind>safetensors|bin)(?<index>\.index(\.(?<variant>\w+))?\.json)?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();

    private sealed record Candidate(string Name, string? Variant, bool IsTorch, bool IsIndex);
}
