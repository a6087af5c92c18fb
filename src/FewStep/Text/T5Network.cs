using FewStep.Networks;

namespace FewStep.Text;

/// <summary>The <c>config.json</c> of a T5 1.1 encoder, with transformers' defaults but for the activation.</summary>
internal sealed record T5Options
{
    private const string Gated = "gated-gelu", Gelu = "gelu_new";

    public int VocabSize { get; init; } = 32128;
    public int DModel { get; init; } = 512;
    public int DKv { get; init; } = 64;
    public int DFf { get; init; } = 2048;
    public int NumLayers { get; init; } = 6;
    public int NumHeads { get; init; } = 8;
    public int RelativeAttentionNumBuckets { get; init; } = 32;
    public int RelativeAttentionMaxDistance { get; init; } = 128;
    public double LayerNormEpsilon { get; init; } = 1e-6;
    public string FeedForwardProj { get; init; } = "relu";
    public string DenseActFn { get; init; } = Gelu;
    public bool IsGatedAct { get; init; } = true;
    public int EosTokenId { get; init; } = 1;

    public T5Options Checked(string path)
    {
        TextConfig.Sizes(path, ("vocab_size", VocabSize, 1 << 20), ("d_model", DModel, 1 << 14), ("d_kv", DKv, 1 << 12),
            ("d_ff", DFf, 1 << 17), ("num_layers", NumLayers, 200), ("num_heads", NumHeads, 1 << 10),
            ("relative_attention_num_buckets", RelativeAttentionNumBuckets, 1 << 12),
            ("relative_attention_max_distance", RelativeAttentionMaxDistance, 1 << 20));
        if (RelativeAttentionNumBuckets < 4 || RelativeAttentionMaxDistance <= RelativeAttentionNumBuckets / 4)
        {
            throw new InvalidInputException($"{path}: relative_attention_num_buckets {RelativeAttentionNumBuckets} do not reach "
                + $"relative_attention_max_distance {RelativeAttentionMaxDistance} as T5's do.");
        }

        return FeedForwardProj == Gated && DenseActFn == Gelu && IsGatedAct ? this : throw new InvalidInputException(
            $"{path}: feed_forward_proj is {Printable.Text(FeedForwardProj)}, dense_act_fn {Printable.Text(DenseActFn)}; known are "
                + $"{Gated} and {Gelu}, those of T5 1.1.");
    }
}

/// <summary>The encoder of T5 1.1 (Raffel et al. 1910.10683, Shazeer 2002.05202) as transformers' <c>T5EncoderModel</c> computes
/// it.</summary>
internal sealed class T5Network : TextNetwork
{
    private readonly T5Options _options;
    private readonly int _tokens, _bias;
    private readonly T5Layer[] _layers;
    private readonly RootMeanSquareNorm _norm;

    public T5Network(T5Options options)
    {
        _options = options;
        _tokens = Builder.Parameter("shared.weight", Init, options.VocabSize, options.DModel);
        _layers = [.. Enumerable.Range(0, options.NumLayers).Select(i => new T5Layer(Builder.At($"encoder.block.{i}"), options))];
        _bias = Builder.Parameter("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", Init,
            options.RelativeAttentionNumBuckets, options.NumHeads);
        _norm = new RootMeanSquareNorm(Builder.At("encoder.final_layer_norm"), options);
    }

    public override int Vocabulary => _options.VocabSize;
    public override int? Positions => null;
    public override int Depth => _layers.Length;
    public override int Width => _options.DModel;
    public override int? PooledWidth => null;
    public override IReadOnlyCollection<string> Redundant { get; } = ["encoder.embed_tokens.weight"];

    private static WeightInit Init { get; } = new(WeightInitMode.KaimingNormal);

    public override TextStates Forward(ForwardPass pass, Tensor ids, Tensor? mask, TextLayer layer)
    {
        var x = Rows(pass[_tokens], ids);
        var bias = Rows(pass[_bias], Buckets(ids.shape[1], ids.device)).permute(2, 0, 1).unsqueeze(0);
        if (mask is not null)
        {
            using var never = TensorArithmetic.Number(double.NegativeInfinity);
            bias = bias.masked_fill(mask.eq(TensorArithmetic.Zero).view(ids.shape[0], 1, 1, ids.shape[1]), never);
        }

        bias = bias.contiguous();
        foreach (var block in _layers.SkipLast(layer.Skipped))
        {
            using var before = x;
            x = block.Forward(pass, x, bias);
        }

        return new TextStates(layer.FinalNorm ? _norm.Forward(pass, x) : x, null);
    }

    // Bucket of key j for query i, [L,L]: half of the buckets for keys after the query; near ones singly, far ones by the logarithm.
    public Tensor Buckets(long length, Device device)
    {
        int half = _options.RelativeAttentionNumBuckets / 2, single = half / 2;
        using var end = TensorArithmetic.Number(length);
        var places = arange(TensorArithmetic.Zero, end, TensorArithmetic.One, dtype: ScalarType.Int64, device: device);
        var relative = places.unsqueeze(0).Plus(places.unsqueeze(1).neg());
        var distance = relative.abs();
        using var near = TensorArithmetic.Number(single);
        var far = distance.Clamp(1, long.MaxValue).to(ScalarType.Float32).Over((double)single).log()
            .Over(Math.Log((double)_options.RelativeAttentionMaxDistance / single)).Times((double)(half - single)).to(ScalarType.Int64)
            .Plus((long)single).Clamp(0, half - 1);
        return where(distance.lt(near), distance, far).Plus(relative.gt(TensorArithmetic.Zero).to(ScalarType.Int64).Times((long)half));
    }

    private sealed class T5Layer
    {
        private readonly T5Options _options;
        private readonly RootMeanSquareNorm _norm0, _norm1;
        private readonly Linear _query, _key, _value, _out, _gate, _up, _down;

        public T5Layer(NetworkBuilder builder, T5Options options)
        {
            _options = options;
            int width = options.DModel, inner = options.DKv * options.NumHeads;
            Linear Part(string name, int from, int to) => new(builder.At(name), from, to, Init, bias: false);
            _query = Part("layer.0.SelfAttention.q", width, inner);
            _key = Part("layer.0.SelfAttention.k", width, inner);
            _value = Part("layer.0.SelfAttention.v", width, inner);
            _out = Part("layer.0.SelfAttention.o", inner, width);
            _norm0 = new RootMeanSquareNorm(builder.At("layer.0.layer_norm"), options);
            _gate = Part("layer.1.DenseReluDense.wi_0", width, options.DFf);
            _up = Part("layer.1.DenseReluDense.wi_1", width, options.DFf);
            _down = Part("layer.1.DenseReluDense.wo", options.DFf, width);
            _norm1 = new RootMeanSquareNorm(builder.At("layer.1.layer_norm"), options);
        }

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor bias)
        {
            using var scope = NewDisposeScope(); // states of a layer take as much as its weights
            var y = _norm0.Forward(pass, x);
            Tensor Part(Linear part) => Heads(part.Forward(pass, y), _options.NumHeads);
            var query = Part(_query).Times(Math.Sqrt(_options.DKv)); // T5 does not divide by it, libtorch does
            var attended = nn.functional.scaled_dot_product_attention(query, Part(_key), Part(_value), bias);
            x = x.Plus(_out.Forward(pass, Joined(attended)));
            y = _norm1.Forward(pass, x);
            return x.Plus(_down.Forward(pass, Gelu(_gate.Forward(pass, y)) * _up.Forward(pass, y))).MoveToOuterDisposeScope();
        }

        // Hendrycks and Gimpel 1606.08415, the approximation by tanh.
        private static Tensor Gelu(Tensor x)
            => x.Times(0.5) * (x.Plus(x.Squared() * x, 0.044715).Times(Math.Sqrt(2 / Math.PI)).tanh().Plus(1));
    }

    /// <summary>x / sqrt(mean of x^2 + epsilon), times a weight.</summary>
    private sealed class RootMeanSquareNorm(NetworkBuilder builder, T5Options options)
    {
        private readonly int _weight = builder.Parameter("weight", WeightInit.Ones, options.DModel);

        public Tensor Forward(ForwardPass pass, Tensor x)
            => x * x.Squared().mean([-1], keepdim: true).Plus(options.LayerNormEpsilon).rsqrt() * pass[_weight];
    }
}
