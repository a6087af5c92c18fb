namespace FewStep.Networks;

/// <summary>Place of a layer in a U-Net.</summary>
internal enum UNetRole
{
    Input,

    /// <summary>What halves the size on the way to a level.</summary>
    Down,

    Encoder,

    /// <summary>One of the two blocks of the middle.</summary>
    Middle,

    /// <summary>What doubles the size on the way to a level.</summary>
    Up,

    /// <summary>A block after the middle, which a skip connection joins.</summary>
    Decoder,
}

/// <summary>A layer of a U-Net.</summary>
internal sealed record UNetLayer(string Half, string Name, UNetRole Role, int Level, int Index, int InChannels, int OutChannels, int Heads)
{
    public string Prefix => Half + Name;
    public bool JoinsSkip => Role == UNetRole.Decoder;
    public bool IsEncoder => Role <= UNetRole.Encoder;
}

/// <summary>What the U-Nets' options have in common.</summary>
internal interface IUNetOptions : INetworkOptions
{
    int NumBlocks { get; }
    IReadOnlyList<int> AttnResolutions { get; }
    double Dropout { get; }

    /// <summary>Channels of each level, from the finest on.</summary>
    IReadOnlyList<int> LevelChannels { get; }

    int FirstChannels { get; }

    /// <summary>Whether only the last decoder block of a level has attention, instead of all.</summary>
    bool DecoderAttendsLast { get; }

    /// <summary>Whether there are blocks between the way down and the way up.</summary>
    bool HasMiddle => true;

    /// <summary>Whether the first of those blocks has attention.</summary>
    bool MiddleAttends => true;

    /// <summary>Heads of attention over so many channels.</summary>
    /// <param name="decoder">Whether after the middle.</param>
    int HeadsOf(int channels, bool decoder);
}

/// <summary>The layers of a U-Net in the order of their evaluation and of their weights: the one description that networks are built from
/// and that other code bases' names are made from.</summary>
internal static class UNetPlan
{
    public static List<UNetLayer> Of(IUNetOptions options)
    {
        var layers = new List<UNetLayer>();
        var skips = new Stack<int>();
        int last = options.LevelChannels.Count - 1, channels = options.InChannels;
        void Add(string half, UNetRole role, int level, string name, int outChannels, int index = 0, bool attends = false)
        {
            int side = options.ImgResolution >> level;
            int input = channels + (role == UNetRole.Decoder ? skips.Pop() : 0);
            int heads = attends ? options.HeadsOf(outChannels, role == UNetRole.Decoder) : 0;
            layers.Add(new($"{half}.{side}x{side}_", name, role, level, index, input, outChannels, heads));
            channels = outChannels;
            if (role <= UNetRole.Encoder)
                skips.Push(channels);
        }

        bool Attends(int level) => options.AttnResolutions.Contains(options.ImgResolution >> level);
        Add("enc", UNetRole.Input, 0, "conv", options.FirstChannels);
        for (int level = 0; level <= last; level++)
        {
            if (level > 0)
                Add("enc", UNetRole.Down, level, "down", channels);
            for (int i = 0; i < options.NumBlocks; i++)
                Add("enc", UNetRole.Encoder, level, $"block{i}", options.LevelChannels[level], i, Attends(level));
        }

        for (int level = last; level >= 0; level--)
        {
            if (level == last && options.HasMiddle)
            {
                Add("dec", UNetRole.Middle, level, "in0", channels, 0, options.MiddleAttends);
                Add("dec", UNetRole.Middle, level, "in1", channels, 1);
            }

            if (level < last)
                Add("dec", UNetRole.Up, level, "up", channels);

            for (int i = 0; i <= options.NumBlocks; i++)
            {
                bool attends = Attends(level) && (i == options.NumBlocks || !options.DecoderAttendsLast);
                Add("dec", UNetRole.Decoder, level, $"block{i}", options.LevelChannels[level], i, attends);
            }
        }

        return layers;
    }

    /// <summary>What the sides of the input must be multiples of: each level but the first halves them.</summary>
    public static long SideMultiple(int levels) => 1L << Math.Clamp(levels - 1, 0, 30);

    public static string Describe(IUNetOptions options, string name, string channels)
    {
        string sides = options.AttnResolutions.Count == 0 ? "the middle only" : string.Join(", ", options.AttnResolutions);
        return InvariantText.Of($"{name}, {channels}, {options.NumBlocks} blocks, attention at {sides}");
    }

    /// <summary>The rules that all U-Nets' options have in common.</summary>
    public static OptionRules Rules(IUNetOptions options, string name) =>
        new OptionRules($"The {name}'s options are invalid")
            .Require(options.ImgResolution is >= 1 and <= 4096, $"img_resolution {options.ImgResolution} is not in 1..4096")
            .Require(options.InChannels is >= 1 and <= 4096, $"in_channels {options.InChannels} is not in 1..4096")
            .Require(options.OutChannels is >= 1 and <= 4096, $"out_channels {options.OutChannels} is not in 1..4096")
            .Require(options.LabelDim is >= 0 and <= 1_000_000, $"label_dim {options.LabelDim} is not in 0..1000000")
            .Require(options.NumBlocks is >= 1 and <= 64, $"num_blocks {options.NumBlocks} is not in 1..64")
            .Require(options.Dropout is >= 0 and < 1, $"dropout {options.Dropout} is not in [0, 1)")
            .Require(options.LabelDropout is >= 0 and < 1, $"label_dropout {options.LabelDropout} is not in [0, 1)");

    /// <summary>The rules of what a network may have differently in its middle and after it.</summary>
    public static OptionRules RequireMiddle(this OptionRules rules, int? headsUpsample, int? attentionGroups) => rules
        .Require(headsUpsample is null or (>= 1 and <= 4096), $"heads_upsample {headsUpsample} is not in 1..4096")
        .Require(attentionGroups is null or (>= 0 and <= 65536), $"middle_attention_groups {attentionGroups} is not in 0..65536");

    /// <summary>The rules of channels that are multiples of a base, NVlabs/edm's way.</summary>
    public static OptionRules RequireMultipliers(
        this OptionRules rules, int augmentDim, int modelChannels, IReadOnlyList<int> channelMult, int channelMultEmb) => rules
        .Require(augmentDim is >= 0 and <= 1024, $"augment_dim {augmentDim} is not in 0..1024")
        .Require(modelChannels is >= 4 and <= 4096 && modelChannels % 4 == 0,
            $"model_channels {modelChannels} is not a multiple of 4 in 4..4096")
        .Require(channelMult.Count is >= 1 and <= 12 && channelMult.All(m => m is >= 1 and <= 64),
            $"channel_mult needs 1 to 12 multipliers in 1..64")
        .Require(channelMultEmb is >= 1 and <= 64, $"channel_mult_emb {channelMultEmb} is not in 1..64");
}
