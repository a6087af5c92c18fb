using TorchSharp;

namespace FewStep.Networks;

/// <summary>The magnitude-preserving U-Net of EDM2 (Karras et al. 2312.02696, configuration G), with NVlabs/edm2's parameter
/// names.</summary>
internal sealed class Edm2UNet : Network
{
    public Edm2UNetOptions Options { get; }
    public List<UNetLayer> Plan { get; }
    private readonly string _frequencies;
    private readonly string _phases;
    public MagnitudePreservingConv Noise { get; }
    public MagnitudePreservingConv? Label { get; }
    public MagnitudePreservingConv First { get; }

    /// <summary>Of each layer of the plan; null for the first.</summary>
    public List<Block?> Blocks { get; } = [];
    public MagnitudePreservingConv Last { get; }
    public int OutGain { get; }

    public Edm2UNet(Edm2UNetOptions options)
    {
        Options = options.Checked();
        Plan = UNetPlan.Of(options);
        int noise = options.NoiseChannels, embedding = options.EmbeddingChannels, first = options.LevelChannels[0];
        OutGain = Builder.Parameter("out_gain", WeightInit.Zeros);
        using (var generator = new Generator(0))
        {
            _frequencies = Builder.At("emb_fourier").Buffer("freqs", randn([noise], generator: generator).Times_(2 * Math.PI));
            _phases = Builder.At("emb_fourier").Buffer("phases", rand([noise], generator: generator).Times_(2 * Math.PI));
        }

        Noise = new MagnitudePreservingConv(Builder.At("emb_noise"), noise, embedding, 0);
        Label = options.LabelDim == 0 ? null
            : new MagnitudePreservingConv(Builder.At("emb_label"), options.LabelDim, embedding, 0);

        // A channel of ones stands for a bias.
        First = new MagnitudePreservingConv(Builder.At(Plan[0].Prefix), options.InChannels + 1, first, 3);
        foreach (var place in Plan)
            Blocks.Add(place.Role == UNetRole.Input ? null : new Block(Builder.At(place.Prefix), place, options));
        Last = new MagnitudePreservingConv(Builder.At("out_conv"), first, options.OutChannels, 3);
    }

    /// <summary>Frequencies and phases of the noise label's waves [channels] each; owned here.</summary>
    public (Tensor Frequencies, Tensor Phases) Waves => (Buffers[_frequencies], Buffers[_phases]);

    public override double Dropout => Options.Dropout;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var embedded = Embed(pass, noiseLabels, condition?.Classes);
        var skips = new Stack<Tensor>();
        x = cat([x, ones_like(x.narrow(1, 0, 1))], 1);
        foreach (var (place, block) in Plan.Zip(Blocks))
        {
            if (pass.Encoded is not null && place.Role > UNetRole.Middle)
                return x;
            using var scope = NewDisposeScope();
            x = place.JoinsSkip ? MagnitudePreserving.Joined(x, skips.Pop(), Options.ConcatBalance) : x;
            x = (block is null ? First.Forward(pass, x) : block.Forward(pass, x, embedded)).MoveToOuterDisposeScope();
            if (place.IsEncoder)
                skips.Push(x);
            if (pass.Encoded is not null)
                pass.Encoded[place.Role == UNetRole.Middle ? int.MaxValue : place.Level] = x;
        }

        return Last.Forward(pass, x, pass.Master[OutGain]);
    }

    private Tensor Embed(ForwardPass pass, Tensor noiseLabels, Tensor? classes)
    {
        var waves = outer(noiseLabels, Buffers[_frequencies]).Plus(Buffers[_phases]).cos().Times(Math.Sqrt(2));
        var embedded = Noise.Forward(pass, waves);
        if (Label is not null)
        {
            var oneHot = OneHot(classes, noiseLabels.shape[0], Options.LabelDim, noiseLabels.device);
            var label = Label.Forward(pass, oneHot.Times(Math.Sqrt(Options.LabelDim)));
            embedded = MagnitudePreserving.Sum(embedded, label, Options.LabelBalance);
        }

        return MagnitudePreserving.Silu(embedded);
    }

    public sealed class Block
    {
        public Edm2UNetOptions Options { get; }
        public UNetLayer Place { get; }
        public int EmbeddingGain { get; }
        public MagnitudePreservingConv Residual0 { get; }
        public MagnitudePreservingConv Embedding { get; }
        public MagnitudePreservingConv Residual1 { get; }
        public MagnitudePreservingConv? Skip { get; }
        public MagnitudePreservingConv? Qkv { get; }
        public MagnitudePreservingConv? Projection { get; }

        public Block(NetworkBuilder builder, UNetLayer place, Edm2UNetOptions options)
        {
            (Options, Place) = (options, place);
            int inChannels = place.InChannels, outChannels = place.OutChannels;
            EmbeddingGain = builder.Parameter("emb_gain", WeightInit.Zeros);
            MagnitudePreservingConv Layer(string name, int from, int to, int kernel) => new(builder.At(name), from, to, kernel);
            Residual0 = Layer("conv_res0", place.IsEncoder ? outChannels : inChannels, outChannels, 3);
            Embedding = Layer("emb_linear", options.EmbeddingChannels, outChannels, 0);
            Residual1 = Layer("conv_res1", outChannels, outChannels, 3);
            Skip = inChannels == outChannels ? null : Layer("conv_skip", inChannels, outChannels, 1);
            if (place.Heads > 0)
                (Qkv, Projection) = (Layer("attn_qkv", outChannels, 3 * outChannels, 1), Layer("attn_proj", outChannels, outChannels, 1));
        }

        public Tensor Forward(ForwardPass pass, Tensor x, Tensor embedded)
        {
            x = Place.Role switch
            {
                UNetRole.Down => nn.functional.avg_pool2d(x, 2),
                UNetRole.Up => nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest),
                _ => x,
            };
            if (Place.IsEncoder)
                x = MagnitudePreserving.Normalised(Skip is null ? x : Skip.Forward(pass, x), 1);
            var y = Residual0.Forward(pass, MagnitudePreserving.Silu(x));
            var scale = Embedding.Forward(pass, embedded, pass.Master[EmbeddingGain]).Plus(1).to(y.dtype).unsqueeze(2).unsqueeze(3);
            y = Residual1.Forward(pass, pass.Dropped(MagnitudePreserving.Silu(y * scale), Options.Dropout));
            if (!Place.IsEncoder && Skip is not null)
                x = Skip.Forward(pass, x);
            x = MagnitudePreserving.Sum(x, y, Options.ResBalance);
            if (Qkv is not null)
                x = MagnitudePreserving.Sum(x, Attend(pass, x), Options.AttnBalance);
            if (Options.ClipAct is not { } limit)
                return x;
            using Scalar low = TensorArithmetic.Number(-limit), high = TensorArithmetic.Number(limit);
            return x.clamp(low, high);
        }

        private Tensor Attend(ForwardPass pass, Tensor x)
        {
            long batch = x.shape[0], height = x.shape[2], width = x.shape[3];

            // The reference interleaves query, key and value innermost among a head's channels.
            var parts = MagnitudePreserving.Normalised(
                Qkv!.Forward(pass, x).reshape(batch, Place.Heads, -1, 3, height * width), 2).permute(3, 0, 1, 4, 2).contiguous();
            var attended = Tokens.Attend(pass, parts[0], parts[1], parts[2]);
            return Projection!.Forward(pass, Tokens.Map(attended, height, width));
        }
    }
}
