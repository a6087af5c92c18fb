using TorchSharp;

namespace FewStep.Networks;

/// <summary>The magnitude-preserving U-Net of EDM2 (Karras et al. 2312.02696, configuration G), with NVlabs/edm2's parameter
/// names.</summary>
internal sealed class Edm2UNet : Network
{
    private readonly Edm2UNetOptions _options;
    private readonly List<UNetLayer> _plan;
    private readonly string _frequencies;
    private readonly string _phases;
    private readonly MagnitudePreservingConv _noise;
    private readonly MagnitudePreservingConv? _label;
    private readonly MagnitudePreservingConv _first;
    private readonly List<Block?> _blocks = []; // null for the first layer of the plan
    private readonly MagnitudePreservingConv _last;
    private readonly int _outGain;

    public Edm2UNet(Edm2UNetOptions options)
    {
        _options = options.Checked();
        _plan = UNetPlan.Of(options);
        int noise = options.NoiseChannels, embedding = options.EmbeddingChannels, first = options.LevelChannels[0];
        _outGain = Builder.Parameter("out_gain", WeightInit.Zeros);
        using (var generator = new Generator(0))
        {
            _frequencies = Builder.At("emb_fourier").Buffer("freqs", randn([noise], generator: generator).Times_(2 * Math.PI));
            _phases = Builder.At("emb_fourier").Buffer("phases", rand([noise], generator: generator).Times_(2 * Math.PI));
        }

        _noise = new MagnitudePreservingConv(Builder.At("emb_noise"), noise, embedding, 0);
        _label = options.LabelDim == 0 ? null
            : new MagnitudePreservingConv(Builder.At("emb_label"), options.LabelDim, embedding, 0);

        // A channel of ones stands for a bias.
        _first = new MagnitudePreservingConv(Builder.At(_plan[0].Prefix), options.InChannels + 1, first, 3);
        foreach (var place in _plan)
            _blocks.Add(place.Role == UNetRole.Input ? null : new Block(Builder.At(place.Prefix), place, options));
        _last = new MagnitudePreservingConv(Builder.At("out_conv"), first, options.OutChannels, 3);
    }

    public override double Dropout => _options.Dropout;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var embedded = Embed(pass, noiseLabels, condition?.Classes);
        var skips = new Stack<Tensor>();
        x = cat([x, ones_like(x.narrow(1, 0, 1))], 1);
        foreach (var (place, block) in _plan.Zip(_blocks))
        {
            if (pass.Encoded is not null && place.Role > UNetRole.Middle)
                return x;
            using var scope = NewDisposeScope();
            x = place.JoinsSkip ? MagnitudePreserving.Joined(x, skips.Pop(), _options.ConcatBalance) : x;
            x = (block is null ? _first.Forward(pass, x) : block.Forward(pass, x, embedded)).MoveToOuterDisposeScope();
            if (place.IsEncoder)
                skips.Push(x);
            if (pass.Encoded is not null)
                pass.Encoded[place.Role == UNetRole.Middle ? int.MaxValue : place.Level] = x;
        }

        return _last.Forward(pass, x, pass.Master[_outGain]);
    }

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var waves = outer(noiseLabels, Buffers[_frequencies]).Plus(Buffers[_phases]).cos().Times(Math.Sqrt(2));
        var embedded = _noise.Forward(pass, waves);
        if (_label is not null)
        {
            var oneHot = OneHot(classes, noiseLabels.shape[0], _options.LabelDim, noiseLabels.device);
            var label = _label.Forward(pass, oneHot.Times(Math.Sqrt(_options.LabelDim)));
            embedded = MagnitudePreserving.Sum(embedded, label, _options.LabelBalance);
        }

        return MagnitudePreserving.Silu(embedded);
    }

    private sealed class Block
    {
        private readonly Edm2UNetOptions _options;
        private readonly UNetLayer _place;
        private readonly int _embeddingGain;
        private readonly MagnitudePreservingConv _residual0;
        private readonly MagnitudePreservingConv _embedding;
        private readonly MagnitudePreservingConv _residual1;
        private readonly MagnitudePreservingConv? _skip;
        private readonly MagnitudePreservingConv? _qkv;
        private readonly MagnitudePreservingConv? _projection;

        public Block(NetworkBuilder builder, UNetLayer place, Edm2UNetOptions options)
        {
            (_options, _place) = (options, place);
            int inChannels = place.InChannels, outChannels = place.OutChannels;
            _embeddingGain = builder.Parameter("emb_gain", WeightInit.Zeros);
            MagnitudePreservingConv Layer(string name, int from, int to, int kernel) => new(builder.At(name), from, to, kernel);
            _residual0 = Layer("conv_res0", place.IsEncoder ? outChannels : inChannels, outChannels, 3);
            _embedding = Layer("emb_linear", options.EmbeddingChannels, outChannels, 0);
            _residual1 = Layer("conv_res1", outChannels, outChannels, 3);
            _skip = inChannels == outChannels ? null : Layer("conv_skip", inChannels, outChannels, 1);
            if (place.Heads > 0)
                (_qkv, _projection) = (Layer("attn_qkv", outChannels, 3 * outChannels, 1), Layer("attn_proj", outChannels, outChannels, 1));
        }

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded)
        {
            x = _place.Role switch
            {
                UNetRole.Down => nn.functional.avg_pool2d(x, 2),
                UNetRole.Up => nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest),
                _ => x,
            };
            if (_place.IsEncoder)
                x = MagnitudePreserving.Normalised(_skip is null ? x : _skip.Forward(pass, x), 1);
            var y = _residual0.Forward(pass, MagnitudePreserving.Silu(x));
            var scale = _embedding.Forward(pass, embedded, pass.Master[_embeddingGain]).Plus(1).to(y.dtype).unsqueeze(2).unsqueeze(3);
            y = _residual1.Forward(pass, pass.Dropped(MagnitudePreserving.Silu(y * scale), _options.Dropout));
            if (!_place.IsEncoder && _skip is not null)
                x = _skip.Forward(pass, x);
            x = MagnitudePreserving.Sum(x, y, _options.ResBalance);
            if (_qkv is not null)
                x = MagnitudePreserving.Sum(x, Attend(pass, x), _options.AttnBalance);
            if (_options.ClipAct is not { } limit)
                return x;
            using Scalar low = TensorArithmetic.Number(-limit), high = TensorArithmetic.Number(limit);
            return x.clamp(low, high);
        }

        private Tensor Attend(ForwardPass pass, Tensor x)
        {
            long batch = x.shape[0], height = x.shape[2], width = x.shape[3];

            // The reference interleaves query, key and value innermost among a head's channels.
            var parts = MagnitudePreserving.Normalised(
                _qkv!.Forward(pass, x).reshape(batch, _place.Heads, -1, 3, height * width), 2).permute(3, 0, 1, 4, 2).contiguous();
            var attended = Tokens.Attend(pass, parts[0], parts[1], parts[2]);
            return _projection!.Forward(pass, Tokens.Map(attended, height, width));
        }
    }
}
