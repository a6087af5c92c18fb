namespace FewStep.Checkpoints;

/// <summary>Infers an ADM network's architecture from the shapes of a state dictionary of guided-diffusion or consistency_models.</summary>
internal sealed class GuidedDiffusionArchitecture
{
    private const int LargestList = 1000;
    private const int AlwaysGroups = 32;

    // Below this many channels NVlabs/edm's rule has fewer groups.
    private const int ChannelsOfAllGroups = 128;

    // What ends a level on the way up: a residual block, or a convolution.
    private static readonly string[] Ups = ["in_layers.0.weight", "conv.weight"];

    private readonly IReadOnlyDictionary<string, Tensor> _tensors;
    private readonly string _path;

    public GuidedDiffusionArchitecture(IReadOnlyDictionary<string, Tensor> tensors, string path)
    {
        (_tensors, _path) = (tensors, path);
        long[] embedding = Shape("time_embed.0.weight", 2);
        RefuseOtherLayers();
        ModelChannels = (int)embedding[1];
        EmbeddingMultiplier = (int)Ratio("time_embed.0.weight", embedding[0], ModelChannels);
        InChannels = (int)Shape("input_blocks.0.0.weight", 4)[1];
        OutChannels = (int)Shape("out.2.weight", 4)[0];
        Classes = Has("label_emb.weight") ? (int)Shape("label_emb.weight", 2)[0] : 0;
        int decoder = Count("output_blocks.{0}.0.in_layers.0.weight");
        int perLevel = Enumerable.Range(0, decoder).FirstOrDefault(
            k => Ups.Any(up => Has($"output_blocks.{k}.1.{up}") || Has($"output_blocks.{k}.2.{up}")), decoder - 1) + 1;
        if (decoder < 2 || perLevel < 2 || decoder % perLevel != 0)
        {
            throw Unknown(decoder == 0 ? "output_blocks.0.0.in_layers.0.weight" : $"output_blocks.{decoder - 1}.0.in_layers.0.weight",
                "does not end a row of levels with equally many blocks");
        }

        Blocks = perLevel - 1;
        Multipliers = [.. Enumerable.Range(0, decoder / perLevel).Select(level => Multiplier(FirstOf(level)))];
        AttentionLevels = [.. Enumerable.Range(0, Multipliers.Count).Where(level => Has($"input_blocks.{FirstOf(level)}.1.qkv.weight"))];
        string scale = $"input_blocks.{FirstOf(0)}.0.emb_layers.1.weight";
        ScaleShift = Ratio(scale, Shape(scale, 2)[0], ModelChannels * Multipliers[0]) switch
        {
            1 => false,
            2 => true,
            _ => throw Unknown(scale, "is neither a shift nor a scale and a shift"),
        };
        ByConvolutions = tensors.Keys.Any(name => name.StartsWith("input_blocks.", StringComparison.Ordinal)
            && name.EndsWith(".0.op.weight", StringComparison.Ordinal));
        IsConsistencyModels = Find("middle_block.1.qkv.weight").shape.Length == 4;
    }

    public int ModelChannels { get; }
    public int EmbeddingMultiplier { get; }
    public int InChannels { get; }
    public int OutChannels { get; }
    public int Classes { get; }
    public int Blocks { get; }
    public IReadOnlyList<int> Multipliers { get; }
    public IReadOnlyList<int> AttentionLevels { get; }
    public bool ScaleShift { get; }

    /// <summary>Whether convolutions change the resolution, as improved-diffusion has it (guided-diffusion without
    /// <c>resblock_updown</c>), instead of residual blocks.</summary>
    public bool ByConvolutions { get; }

    /// <summary>Whether attention's convolutions have two axes, as openai/consistency_models' have; guided-diffusion's have one.</summary>
    public bool IsConsistencyModels { get; }

    /// <summary>Groups of the normalisations, null where NVlabs/edm's rule says the same.</summary>
    public int? NormGroups => ModelChannels * Multipliers.Min() < ChannelsOfAllGroups ? AlwaysGroups : null;

    /// <summary>The channels of all levels with attention, the middle's included.</summary>
    public IEnumerable<int> AttentionChannels
        => AttentionLevels.Append(Multipliers.Count - 1).Select(level => ModelChannels * Multipliers[level]);

    private int FirstOf(int level) => 1 + (level * (Blocks + 1));

    private void RefuseOtherLayers()
    {
        foreach (string name in _tensors.Keys)
        {
            string? problem =
                name.Contains("encoder_kv", StringComparison.Ordinal) || name.Contains("transformer", StringComparison.Ordinal)
                ? "belongs to conditioning on text"
                : name.Contains("positional_embedding", StringComparison.Ordinal) || name.StartsWith("out.1.", StringComparison.Ordinal)
                ? "belongs to a classifier, which denoises nothing"
                : null;
            if (problem is not null)
                throw Unknown(name, problem);
        }
    }

    private int Multiplier(int block)
    {
        string name = $"input_blocks.{block}.0.out_layers.3.weight";
        return (int)Ratio(name, Shape(name, 4)[0], ModelChannels);
    }

    private long Ratio(string name, long size, long unit) => unit > 0 && size > 0 && size % unit == 0 && size / unit <= 1024
        ? size / unit
        : throw Unknown(name, $"has {size} rows, no multiple of {unit}");

    private int Count(string pattern)
    {
        int count = 0;
        while (count < LargestList && Has(string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, count)))
            count++;
        return count;
    }

    private bool Has(string name) => _tensors.ContainsKey(name);

    private Tensor Find(string name) => _tensors.GetValueOrDefault(name)
        ?? throw (OtherNetworks.OfNames(_tensors.Keys) is string what ? new InvalidInputException($"{_path} holds {what}. Read are state "
            + "dictionaries of openai's guided-diffusion, improved-diffusion and consistency_models.") : Lacks(name));

    private InvalidInputException Lacks(string name) => new InvalidInputException($"{_path} lacks {Printable.Text(name)}, which "
            + $"every state dictionary of guided-diffusion's U-Net has; it {(_tensors.Count == 0 ? "holds no tensors"
                : $"begins with {string.Join(", ", _tensors.Keys.Take(3).Select(Printable.Text))}")}.");

    private long[] Shape(string name, int axes)
    {
        long[] shape = Find(name).shape;
        return shape.Length == axes && shape.All(size => size is > 0 and <= 10_000_000) ? shape
            : throw Unknown(name, $"has shape [{string.Join(',', shape)}], not {axes} axes");
    }

    private InvalidInputException Unknown(string name, string problem)
        => new($"{_path}: {Printable.Text(name)} {problem}. This network is not known here.");
}
