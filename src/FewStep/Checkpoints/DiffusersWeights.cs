using System.Text.RegularExpressions;
using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The weights beside the configuration of a network of diffusers or transformers: one file or shards with an index, of
/// safetensors or <c>torch.save</c>, perhaps of a variant (<c>fp16</c>, <c>bf16</c>, <c>non_ema</c>).</summary>
/// <param name="Path">The file, or the index of the shards.</param>
/// <param name="Files">The file, or the shards.</param>
internal sealed partial record DiffusersWeights(string Path, IReadOnlyList<string> Files, string? Variant) : IPartWeights
{
    public const string Stem = "diffusion_pytorch_model";

    /// <summary>What the names of weights begin with: those of diffusers, and of transformers, whose text encoders pipelines
    /// hold.</summary>
    public static readonly IReadOnlyList<string> Stems = [Stem], TransformersStems = ["model", "pytorch_model"];

    private const string NonAveraged = "non_ema", MapName = "weight_map";

    // Where a folder has variants only, the first of these.
    private static readonly string[] Preferred = ["fp32", "fp16", "bf16", "ema"];

    // Names of the tensors that the index promises of each file.
    private IReadOnlyDictionary<string, List<string>> Promised { get; init; } = new Dictionary<string, List<string>>();

    /// <summary>Whether a folder has weights under diffusers' names.</summary>
    public static bool Are(string folder) => Directory.Exists(folder) && Candidates(folder, Stems).Count > 0;

    /// <summary>Whether a file has a name of such weights.</summary>
    public static bool IsOne(string file) => File.Exists(file) && Parse(System.IO.Path.GetFileName(file)) is not null;

    /// <summary>Finds the weights of a variant; null is those without one, or where there are none of these the most usual
    /// variant.</summary>
    /// <param name="stems">What their names begin with: diffusers' where null.</param>
    public static DiffusersWeights Find(string folder, string? variant, IReadOnlyList<string>? stems = null)
    {
        var all = Candidates(folder, stems ??= Stems);
        if (all.Count == 0)
        {
            throw new InvalidInputException(
                $"{folder} has no weights: {stems[0]}.safetensors or {stems[^1]}.bin, of a variant, or the index of their shards is "
                    + "missing.");
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

    /// <summary>Finds the weights of a variant, where the folder has it, else the usual ones: what belongs to a network of that
    /// variant.</summary>
    /// <param name="stems">What their names begin with: diffusers' where null.</param>
    public static DiffusersWeights FindLike(string folder, string? variant, IReadOnlyList<string>? stems = null)
        => Find(folder, Candidates(folder, stems ?? Stems).Exists(c => c.Variant == variant) ? variant : null, stems);

    /// <summary>The weights that one file, or the index of shards, holds.</summary>
    public static DiffusersWeights At(string file) => Parse(System.IO.Path.GetFileName(file)) is { } found
        ? Of(file, found.Variant, found.IsIndex)
        : throw new InvalidInputException($"{file} is no file of weights, or one of several shards; give its folder or the index.");

    /// <inheritdoc/>
    public string Hash => Sha256.OfFiles(Files);

    TensorsByName IPartWeights.Read(ParameterLayout layout) => Read();

    /// <returns>All tensors; the caller owns them.</returns>
    public TensorsByName Read()
    {
        var all = new TensorsByName();
        try
        {
            foreach (string file in Files)
            {
                var shard = StateDictionary.ReadWrapped(file).Tensors;
                string? twice = shard.Keys.FirstOrDefault(all.ContainsKey);
                string? missing = Promised.GetValueOrDefault(file)?.Find(name => !shard.ContainsKey(name));
                foreach (var (name, tensor) in shard.Where(entry => entry.Key != twice))
                    all.Add(name, tensor);
                if (twice is not null)
                {
                    shard[twice].Dispose();
                    throw new InvalidInputException($"{Path}: two of its shards hold {Printable.Text(twice)}. Fetch them again.");
                }

                if (missing is not null)
                {
                    throw new InvalidInputException(
                        $"{file} lacks {Printable.Text(missing)}, which its index says is in it. Fetch both again.");
                }
            }

            return StateDictionary.Unwrapped(all);
        }
        catch
        {
            all.Dispose();
            throw;
        }
    }

    private static DiffusersWeights Of(string path, string? variant, bool isIndex)
    {
        if (!isIndex)
            return new(path, [path], variant);
        var shards = Shards(path);
        return new(path, [.. shards.Keys], variant) { Promised = shards };
    }

    private static List<Candidate> Candidates(string folder, IReadOnlyList<string> stems)
        => [.. stems.SelectMany(stem => Directory.EnumerateFiles(folder, stem + ".*"))
            .Select(file => Parse(System.IO.Path.GetFileName(file), stems)).OfType<Candidate>()];

    private static Candidate? Parse(string name, IReadOnlyList<string>? stems = null)
    {
        var match = FileName().Match(name);
        if (!match.Success || !(stems ?? Stems).Contains(match.Groups["stem"].Value))
            return null;
        string variant = match.Groups["variant"].Value;
        return new Candidate(name, variant.Length == 0 ? null : variant, match.Groups["kind"].Value == "bin",
            match.Groups["index"].Success);
    }

    // Names from a file: none of them leaves the folder.
    private static Dictionary<string, List<string>> Shards(string index)
    {
        var given = JsonFile.ReadPython(index);
        if (!given.TryGetValue(MapName, out JsonElement map) || map.ValueKind != JsonValueKind.Object)
            throw new InvalidInputException($"{index} has no {MapName}, so it is no index of shards. Fetch it again.");
        string folder = System.IO.Path.GetDirectoryName(index) ?? "";
        var shards = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (tensor, name) in JsonFile.From<ShardIndex>(
            new Dictionary<string, JsonElement> { [MapName] = map }, index).WeightMap)
        {
            if (name is not { Length: > 0 })
                throw new InvalidInputException($"{index}: its {MapName} names no file for {Printable.Text(tensor)}.");
            string file = System.IO.Path.Combine(folder, name);
            if (shards.TryGetValue(file, out var known))
            {
                known.Add(tensor);
                continue;
            }

            if (name.AsSpan().IndexOfAny("/\\:\0") >= 0 || name is "." or "..")
                throw new InvalidInputException($"{index} names the shard {Printable.Text(name)}, which is no file in its own folder.");
            shards.Add(file, File.Exists(file) ? [tensor] : throw new InvalidInputException(
                $"{index} names the shard {Printable.Text(name)}, which is missing. Fetch all shards into its folder."));
        }

        return shards.Count > 0 ? shards : throw new InvalidInputException($"{index} names no shards. Fetch it again.");
    }

    [GeneratedRegex(
        @"^(?<stem>diffusion_pytorch_model|pytorch_model|model)(\.(?<variant>\w+))?\.(?<kind>safetensors|bin)"
            + @"(?<index>\.index(\.(?<variant>\w+))?\.json)?$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();

    private sealed record ShardIndex(Dictionary<string, string?> WeightMap);

    private sealed record Candidate(string Name, string? Variant, bool IsTorch, bool IsIndex);
}
