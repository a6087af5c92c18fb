namespace FewStep.Networks;

/// <summary>The diffusion transformer of Peebles and Xie (2212.09748): attention over patches of a latent, which time and class scale,
/// shift and gate, with diffusers' parameter names.</summary>
internal sealed class DiT : Network
{
    public DiTOptions Options { get; }
    public PatchEmbedding Patches { get; }
    public TimeAndClass? Shared { get; }
    public List<Block> Blocks { get; } = [];
    public Linear OutModulation { get; }
    public TokenLinear OutLayer { get; }

    public DiT(DiTOptions options)
    {
        Options = options.Checked();
        int channels = options.Channels;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        Patches = new PatchEmbedding(Builder.At("pos_embed.proj"), options.InChannels, channels, options.PatchSize, init);
        Shared = options.SharedEmbedding ? new TimeAndClass(Builder.At("emb"), options) : null;
        for (int i = 0; i < options.Layers; i++)
            Blocks.Add(new Block(Builder.At($"transformer_blocks.{i}"), options));
        OutModulation = new Linear(Builder.At("proj_out_1"), channels, 2 * channels, WeightInit.Zeros);
        OutLayer = new TokenLinear(
            Builder.At("proj_out_2"), channels, options.PatchSize * options.PatchSize * options.OutChannels, init: WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        long height = x.shape[2] / Options.PatchSize, width = x.shape[3] / Options.PatchSize;
        var positions = PatchPositions.Table(
            Options.Channels, height, width, Options.ImgResolution / Options.PatchSize, Options.PositionScale, x.device);
        var tokens = Patches.Forward(pass, x).Plus(positions.to(x.dtype));
        var classes = Rows(condition?.Classes, x.shape[0], x.device);
        var shared = Shared?.Forward(pass, noiseLabels, classes);
        var first = shared ?? Blocks[0].Embed(pass, noiseLabels, classes);
        for (int i = 0; i < Blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            var embedded = i == 0 ? first : shared ?? Blocks[i].Embed(pass, noiseLabels, classes);
            tokens = Blocks[i].Forward(pass, tokens, embedded).MoveToOuterDisposeScope();
            if (pass.Encoded is not null && i == (Blocks.Count - 1) / 2)
                return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width).MoveToOuterDisposeScope();
        }

        var ends = OutModulation.Forward(pass, nn.functional.silu(first)).chunk(2, 1);
        return Tokens.Image(
            OutLayer.Forward(pass, Tokens.Modulated(tokens, ends[0], ends[1])), height, width, Options.PatchSize);
    }

    // Rows of the table of classes, whose last is "no class".
    private Tensor Rows(Tensor? classes, long batch, Device device)
    {
        var none = TensorArithmetic.Full([batch], Options.LabelDim, ScalarType.Int64, device);
        return classes is null ? none : where(classes.lt(TensorArithmetic.Zero), none, classes);
    }

    public sealed class TimeAndClass
    {
        public NumberEmbedding Time { get; }
        public int Table { get; }

        public TimeAndClass(NetworkBuilder builder, DiTOptions options)
        {
            var init = new WeightInit(WeightInitMode.XavierUniform);
            Time = new NumberEmbedding(builder.At("timestep_embedder"), options.Channels, init, options.FrequencyEndpoint);
            Table = builder.At("class_embedder.embedding_table").Parameter("weight", init, options.LabelDim + 1, options.Channels);
        }

        public Tensor Forward(ForwardPass pass, Tensor noiseLabels, Tensor rows)
            => Time.Forward(pass, noiseLabels).Plus(pass.Master[Table].index_select(0, rows));
    }

    public sealed class Block
    {
        public double Epsilon { get; }
        private readonly Range _parameters;
        public TimeAndClass? Embedding { get; }
        public Linear Modulation { get; }
        public HeadProjections Heads { get; }
        public TokenLinear Projection { get; }
        public TokenFeedForward FeedForward { get; }

        public Block(NetworkBuilder builder, DiTOptions options)
        {
            int channels = options.Channels;
            Epsilon = options.NormEpsilon;
            Embedding = options.SharedEmbedding ? null : new TimeAndClass(builder.At("norm1.emb"), options);
            int first = builder.Count;
            Modulation = new Linear(builder.At("norm1.linear"), channels, 6 * channels, WeightInit.Zeros);
            Heads = new HeadProjections(builder.At("attn1"), channels, options.Heads, bias: options.AttentionBias);
            Projection = new TokenLinear(builder.At("attn1.to_out.0").Adapted(LoraLayers.Attention), channels, channels);
            FeedForward = new TokenFeedForward(builder.At("ff"), channels);
            _parameters = builder.Since(first);
        }

        public Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor rows) => Embedding!.Forward(pass, noiseLabels, rows);

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded)
            => pass.Block(_parameters, (own, given) => [Evaluate(own, given[0], given[1])], x, embedded)[0];

        private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor embedded)
        {
            var m = Modulation.Forward(pass, nn.functional.silu(embedded)).chunk(6, 1); // shift, scale, gate; of attention and layer
            var (query, key, value) = Heads.Forward(pass, Tokens.Modulated(x, m[0], m[1]));
            x = Tokens.Gated(x, m[2], Projection.Forward(pass, Tokens.Attend(pass, query, key, value)));
            return Tokens.Gated(x, m[5], FeedForward.Forward(pass, Tokens.Modulated(x, m[3], m[4], Epsilon)));
        }
    }
}

/// <summary>Sines and cosines of a patch's place in two dimensions, computed and not learnt.</summary>
internal static class PatchPositions
{
    /// <summary>[H W, channels], float32: half of the channels by column, half by row; of each the sines, then the cosines.</summary>
    /// <param name="side">Patches in a row that training knew: more or fewer span the same distance.</param>
    /// <param name="scale">Divides the places.</param>
    public static Tensor Table(int channels, long height, long width, int side, double scale, Device device)
    {
        using var scope = NewDisposeScope();
        int quarter = channels / 4;
        var frequencies = pow(1.0 / 10000, Count(quarter, device).Over(quarter));
        Tensor Waves(long count)
        {
            // In float32 up to here, as in the reference implementations.
            var places = Count(count, device).Times((double)side / count).Over(scale).to(ScalarType.Float32).to(ScalarType.Float64);
            var angles = outer(places, frequencies);
            return cat([angles.sin(), angles.cos()], 1).to(ScalarType.Float32);
        }

        var columns = Waves(width).unsqueeze(0).expand(height, -1, -1);
        var rows = Waves(height).unsqueeze(1).expand(-1, width, -1);
        return cat([columns, rows], 2).flatten(0, 1).MoveToOuterDisposeScope();
    }

    private static Tensor Count(long count, Device device)
    {
        using var end = TensorArithmetic.Number(count);
        return arange(TensorArithmetic.Zero, end, TensorArithmetic.One, dtype: ScalarType.Float64, device: device);
    }
}
