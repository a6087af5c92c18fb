namespace FewStep.Networks;

/// <summary>The diffusion transformer of Peebles and Xie (2212.09748): attention over patches of a latent, which time and class scale,
/// shift and gate, with diffusers' parameter names.</summary>
internal sealed class DiT : Network
{
    private readonly DiTOptions _options;
    private readonly PatchEmbedding _patches;
    private readonly TimeAndClass? _shared;
    private readonly List<Block> _blocks = [];
    private readonly Linear _outModulation;
    private readonly Linear _outLayer;

    public DiT(DiTOptions options)
    {
        _options = options.Checked();
        int channels = options.Channels;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        _patches = new PatchEmbedding(Builder.At("pos_embed.proj"), options.InChannels, channels, options.PatchSize, init);
        _shared = options.SharedEmbedding ? new TimeAndClass(Builder.At("emb"), options) : null;
        for (int i = 0; i < options.Layers; i++)
            _blocks.Add(new Block(Builder.At($"transformer_blocks.{i}"), options));
        _outModulation = new Linear(Builder.At("proj_out_1"), channels, 2 * channels, WeightInit.Zeros);
        _outLayer = new Linear(
            Builder.At("proj_out_2"), channels, options.PatchSize * options.PatchSize * options.OutChannels, WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        long height = x.shape[2] / _options.PatchSize, width = x.shape[3] / _options.PatchSize;
        var positions = PatchPositions.Table(
            _options.Channels, height, width, _options.ImgResolution / _options.PatchSize, _options.PositionScale, x.device);
        var tokens = _patches.Forward(pass, x).Plus(positions.to(x.dtype));
        var classes = Rows(condition?.Classes, x.shape[0], x.device);
        var shared = _shared?.Forward(pass, noiseLabels, classes);
        var first = shared ?? _blocks[0].Embed(pass, noiseLabels, classes);
        for (int i = 0; i < _blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            var embedded = i == 0 ? first : shared ?? _blocks[i].Embed(pass, noiseLabels, classes);
            tokens = _blocks[i].Forward(pass, tokens, embedded).MoveToOuterDisposeScope();
            if (pass.Encoded is not null && i == (_blocks.Count - 1) / 2)
                return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width).MoveToOuterDisposeScope();
        }

        var ends = _outModulation.Forward(pass, nn.functional.silu(first)).chunk(2, 1);
        return Tokens.Image(
            _outLayer.ForwardFeatures(pass, Tokens.Modulated(tokens, ends[0], ends[1])), height, width, _options.PatchSize);
    }

    // Rows of the table of classes, whose last is "no class".
    private Tensor Rows(Tensor? classes, long batch, Device device)
    {
        var none = TensorArithmetic.Full([batch], _options.LabelDim, ScalarType.Int64, device);
        return classes is null ? none : where(classes.lt(TensorArithmetic.Zero), none, classes);
    }

    private sealed class TimeAndClass
    {
        private readonly NumberEmbedding _time;
        private readonly int _table;

        public TimeAndClass(NetworkBuilder builder, DiTOptions options)
        {
            var init = new WeightInit(WeightInitMode.XavierUniform);
            _time = new NumberEmbedding(builder.At("timestep_embedder"), options.Channels, init, options.FrequencyEndpoint);
            _table = builder.At("class_embedder.embedding_table").Parameter("weight", init, options.LabelDim + 1, options.Channels);
        }

        public Tensor Forward(ForwardPass pass, Tensor noiseLabels, Tensor rows)
            => _time.Forward(pass, noiseLabels).Plus(pass.Master[_table].index_select(0, rows));
    }

    private sealed class Block
    {
        private readonly double _epsilon;
        private readonly Range _parameters;
        private readonly TimeAndClass? _embedding;
        private readonly Linear _modulation;
        private readonly HeadProjections _heads;
        private readonly TokenLinear _projection;
        private readonly TokenFeedForward _feedForward;

        public Block(NetworkBuilder builder, DiTOptions options)
        {
            int channels = options.Channels;
            _epsilon = options.NormEpsilon;
            _embedding = options.SharedEmbedding ? null : new TimeAndClass(builder.At("norm1.emb"), options);
            int first = builder.Count;
            _modulation = new Linear(builder.At("norm1.linear"), channels, 6 * channels, WeightInit.Zeros);
            _heads = new HeadProjections(builder.At("attn1"), channels, options.Heads, bias: options.AttentionBias);
            _projection = new TokenLinear(builder.At("attn1.to_out.0").Adapted(LoraLayers.Attention), channels, channels);
            _feedForward = new TokenFeedForward(builder.At("ff"), channels);
            _parameters = builder.Since(first);
        }

        public Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor rows) => _embedding!.Forward(pass, noiseLabels, rows);

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded)
            => pass.Block(_parameters, (own, given) => [Evaluate(own, given[0], given[1])], x, embedded)[0];

        private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor embedded)
        {
            var m = _modulation.Forward(pass, nn.functional.silu(embedded)).chunk(6, 1); // shift, scale, gate; of attention and layer
            var (query, key, value) = _heads.Forward(pass, Tokens.Modulated(x, m[0], m[1]));
            x = Tokens.Gated(x, m[2], _projection.Forward(pass, Tokens.Attend(pass, query, key, value)));
            return Tokens.Gated(x, m[5], _feedForward.Forward(pass, Tokens.Modulated(x, m[3], m[4], _epsilon)));
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
