using FewStep.Networks;

namespace FewStep.Text;

/// <summary>The <c>config.json</c> of a CLIP text encoder, with transformers' defaults.</summary>
internal sealed record ClipTextOptions
{
    // Before transformers knew the real one, configurations said 2, and the largest id, the end of the text, was looked for.
    private const int UnknownEnd = 2;

    public int VocabSize { get; init; } = 49408;
    public int HiddenSize { get; init; } = 512;
    public int IntermediateSize { get; init; } = 2048;
    public int ProjectionDim { get; init; } = 512;
    public int NumHiddenLayers { get; init; } = 12;
    public int NumAttentionHeads { get; init; } = 8;
    public int MaxPositionEmbeddings { get; init; } = 77;
    public string HiddenAct { get; init; } = "quick_gelu";
    public double LayerNormEps { get; init; } = 1e-5;
    public int EosTokenId { get; init; } = 49407;

    /// <summary>Id of the end of a text; null for the largest id in it.</summary>
    public int? End => EosTokenId == UnknownEnd ? null : EosTokenId;

    public ClipTextOptions Checked(string path)
    {
        TextConfig.Sizes(path, ("vocab_size", VocabSize, 1 << 20), ("hidden_size", HiddenSize, 1 << 14),
            ("intermediate_size", IntermediateSize, 1 << 16), ("projection_dim", ProjectionDim, 1 << 14),
            ("num_hidden_layers", NumHiddenLayers, 200), ("num_attention_heads", NumAttentionHeads, 1 << 10),
            ("max_position_embeddings", MaxPositionEmbeddings, 1 << 14));
        if (HiddenSize % NumAttentionHeads != 0)
        {
            throw new InvalidInputException(
                $"{path}: hidden_size {HiddenSize} cannot be divided among {NumAttentionHeads} attention heads.");
        }

        if (HiddenAct is not ("quick_gelu" or "gelu"))
            throw new InvalidInputException($"{path}: hidden_act is {Printable.Text(HiddenAct)}; known are quick_gelu and gelu.");
        return this;
    }
}

/// <summary>CLIP's text encoder (Radford et al. 2103.00020, section 2.4) as transformers' <c>CLIPTextModel</c> or, with a projection,
/// <c>CLIPTextModelWithProjection</c> computes it.</summary>
internal sealed class ClipTextNetwork : TextNetwork
{
    private readonly ClipTextOptions _options;
    private readonly int _tokens, _positions;
    private readonly ClipTextLayer[] _layers;
    private readonly LayerNorm _norm;
    private readonly Linear? _projection;

    public ClipTextNetwork(ClipTextOptions options, bool projects)
    {
        _options = options;
        var model = Builder.At("text_model");
        _tokens = model.Parameter("embeddings.token_embedding.weight", Init, options.VocabSize, options.HiddenSize);
        _positions = model.Parameter("embeddings.position_embedding.weight", Init, options.MaxPositionEmbeddings, options.HiddenSize);
        var layers = model.At("encoder.layers");
        _layers = [.. Enumerable.Range(0, options.NumHiddenLayers).Select(i => new ClipTextLayer(layers.At($"{i}"), options))];
        _norm = new LayerNorm(model.At("final_layer_norm"), options.HiddenSize, options.LayerNormEps);
        _projection = projects
            ? new Linear(Builder.At("text_projection"), options.HiddenSize, options.ProjectionDim, Init, bias: false) : null;
    }

    public override int Vocabulary => _options.VocabSize;
    public override int? Positions => _options.MaxPositionEmbeddings;
    public override int Depth => _layers.Length;
    public override int Width => _options.HiddenSize;
    public override int? PooledWidth => _projection is null ? _options.HiddenSize : _options.ProjectionDim;
    public override IReadOnlyCollection<string> Redundant { get; } = ["text_model.embeddings.position_ids"];

    private static WeightInit Init { get; } = new(WeightInitMode.KaimingNormal);

    public override TextStates Forward(ForwardPass pass, Tensor ids, Tensor? mask, TextLayer layer)
    {
        if (mask is not null)
            throw new ArgumentException("CLIP reads its padding.", nameof(mask));
        long length = ids.shape[1];
        var x = Rows(pass[_tokens], ids).Plus(pass[_positions].narrow(0, 0, length));
        var wanted = x;
        for (int i = 0; i < _layers.Length; i++)
        {
            x = _layers[i].Forward(pass, x);
            wanted = i < _layers.Length - layer.Skipped ? x : wanted;
        }

        var last = _norm.Forward(pass, x);
        var hidden = !layer.FinalNorm ? wanted : layer.Skipped == 0 ? last : _norm.Forward(pass, wanted);
        var pooled = AtEnd(last, ids);
        return new TextStates(hidden, _projection is null ? pooled : _projection.Forward(pass, pooled));
    }

    // The rows at the first end of each text: as many tokens stand before it as have seen none.
    private Tensor AtEnd(Tensor x, Tensor ids)
    {
        Tensor end = _options.End is int id ? ones_like(ids).Times((long)id) : ids.amax([1], keepdim: true);
        Tensor first = ids.eq(end).to(ScalarType.Int64).cumsum(1).eq(TensorArithmetic.Zero).to(ScalarType.Int64).sum(1)
            .Clamp(0, ids.shape[1] - 1);
        return x.gather(1, first.view(-1, 1, 1).expand(-1, 1, x.shape[2])).squeeze(1);
    }

    private sealed class ClipTextLayer
    {
        private readonly int _heads;
        private readonly bool _quick;
        private readonly LayerNorm _norm1, _norm2;
        private readonly Linear _query, _key, _value, _out, _up, _down;

        public ClipTextLayer(NetworkBuilder builder, ClipTextOptions options)
        {
            int width = options.HiddenSize;
            (_heads, _quick) = (options.NumAttentionHeads, options.HiddenAct == "quick_gelu");
            Linear Attention(string name) => new(builder.At($"self_attn.{name}"), width, width, Init);
            _norm1 = new LayerNorm(builder.At("layer_norm1"), width, options.LayerNormEps);
            (_query, _key, _value, _out) = (Attention("q_proj"), Attention("k_proj"), Attention("v_proj"), Attention("out_proj"));
            _norm2 = new LayerNorm(builder.At("layer_norm2"), width, options.LayerNormEps);
            _up = new Linear(builder.At("mlp.fc1"), width, options.IntermediateSize, Init);
            _down = new Linear(builder.At("mlp.fc2"), options.IntermediateSize, width, Init);
        }

        public Tensor Forward(ForwardPass pass, Tensor x)
        {
            var y = _norm1.Forward(pass, x);
            Tensor Part(Linear part) => Heads(part.Forward(pass, y), _heads);
            var attended = nn.functional.scaled_dot_product_attention(Part(_query), Part(_key), Part(_value), is_casual: true);
            x = x.Plus(_out.Forward(pass, Joined(attended)));
            y = _up.Forward(pass, _norm2.Forward(pass, x));
            y = _quick ? y * y.Times(1.702).sigmoid() : nn.functional.gelu(y);
            return x.Plus(_down.Forward(pass, y));
        }
    }
}
