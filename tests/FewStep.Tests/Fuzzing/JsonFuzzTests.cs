using FewStep.Solvers;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Interchange;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Fuzzing;

/// <summary>Damaged JSON files and lists of sigmas.</summary>
public sealed class JsonFuzzTests : FolderTests
{
    [Fact]
    public void Configurations_of_model_folders()
    {
        string folder = _folder.File("model");
        var config = CheckpointFuzzTests.Adm(8, groups: null);
        using (var denoiser = ModelFolder.Initialize(config, 1))
        {
            ModelFolder.Write(folder, config, denoiser, denoiser.Weights);
        }

        Text("config.json", 2000, Path.Combine(folder, ModelFolder.ConfigName), () => CheckpointFuzzTests.Use(folder, null));
    }

    [Fact]
    public void Samplers()
    {
        string path = _folder.File("a.sampler.json");
        var origin = new SamplerOrigin { Schedule = "gits", Objective = "power", Evaluations = 8 };
        new Sampler(new SamplingSchedule([80, 9.5, 0.3, 0.002], ScheduleTerminal.Zero), SolverCatalog.Find("heun")) { Origin = origin }
            .Save(path);
        Text("schedule", 1500, path, () => Sampler.Read(path));
    }

    [Fact]
    public void Refinements()
    {
        var start = new SamplingSchedule([80, 2, 0.3, 0.002]);
        var solver = new FittedSolver(
            new EulerSolver(), start, [new() { Slope = 0.1 }, new() { Differences = [0.2] }, new() { NoiseLevel = 0.2 }]);
        var file = new RefinementFolder(_folder.Root).Open("fuzzed");
        file.Write(new RefinementState(new RefinedSolver(start, solver, 1, (2, 3), (1, 2), 10, 1.5), 0.01, false));
        Text("refinement", 800, Assert.Single(Directory.GetFiles(_folder.Root)), () => file.Read(new EulerSolver(), start));
    }

    [Fact]
    public void Mixtures()
    {
        string path = _folder.File("mixture.json");
        TestMixtures.Write(path, new GaussianMixture(new ImageShape(1, 1, 2), [0.25, 0.75], [[1, 2], [-1, 0.5]], [0.5, 0.25], [0, 1]));
        Text("mixture", 1000, path, () => MixtureFile.Read(path));
    }

    [Fact]
    public void Loss_curves()
    {
        string path = _folder.File("loss-curve.json");
        LossCurveFile.Write(path, Curve());
        Text("loss curve", 1000, path, () => LossCurveFile.Read(path));
    }

    [Fact]
    public void Folders_of_diffusers()
    {
        string folder = _folder.File("diffusers"), config = Path.Combine(
            folder, "unet", "config.json"), scheduler = Path.Combine(folder, "scheduler", "scheduler_config.json");
        Directory.CreateDirectory(Path.GetDirectoryName(config)!);
        Directory.CreateDirectory(Path.GetDirectoryName(scheduler)!);
        string given = """
            {"_class_name":"UNet2DModel","sample_size":8,"block_out_channels":[32,64],"layers_per_block":1,"norm_num_groups":32,
            "norm_eps":1e-05,"attention_head_dim":8,"downsample_padding":1,
            "down_block_types":["DownBlock2D","AttnDownBlock2D"],"up_block_types":["AttnUpBlock2D","UpBlock2D"]}
            """;
        string noise = """{"_class_name":"DDPMScheduler","beta_end":0.02,"beta_schedule":"linear","beta_start":"""
            + """0.0001,"num_train_timesteps":100,"prediction_type":"epsilon"}""";
        File.WriteAllText(config, given);
        File.WriteAllText(scheduler, noise);
        void Read() => DiffusersFolder.Describe(folder, new ModelReadOptions()).Config.BuildNetwork().Dispose();
        Text("config of diffusers", 1500, config, Read);
        File.WriteAllText(config, given);
        Text("scheduler of diffusers", 800, scheduler, Read);
    }

    [Fact]
    public void Latent_pipelines()
    {
        string path = _folder.File("config.json");
        File.Copy(GoldenPipelines.At("sdxl-tiny", "unet", "config.json"), path);
        Text("config of a U-Net conditioned on text", 300, path,
            () => ((INetworkOptions)ConditionUNetConfig.Read(path)).Build().Dispose());
        File.Copy(GoldenPipelines.At("sd15-tiny", "vae", "config.json"), path, overwrite: true);
        Text("config of an autoencoder", 200, path, () => new AutoencoderKl(AutoencoderConfig.Read(path)).Dispose());
    }

    [Fact]
    public void Lists_of_sigmas()
    {
        byte[] list = "sigmas = torch.tensor([80.0, 3.5, 0.25, 0.002, 0.0])"u8.ToArray();
        string path = _folder.File("list.txt");
        var noise = DiscreteVpNoise.Linear();
        FuzzRun.Files("list of sigmas", 1500, random => ByteMutation.Of(list, random, isText: true), path,
            () => ScheduleImport.Sigmas(File.ReadAllText(path)));
        byte[] times = "[999, 850, 736, 24]"u8.ToArray();
        FuzzRun.Files("list of timesteps", 500, random => ByteMutation.Of(times, random, isText: true), path,
            () => ScheduleImport.Timesteps(File.ReadAllText(path), noise));
    }

    private static LossCurve Curve()
    {
        double[] sigmas = [1, 2, 3, 4], loss = [0.1, 0.2, 0.3, 0.4];
        double[][] covariance = [.. Enumerable.Range(0, 4).Select(k => Enumerable.Range(0, 4).Select(l => k == l ? 1e-4 : 0.0).ToArray())];
        return new LossCurve(sigmas, loss, covariance, 50, new LossCurveOrigin(200, 1.5, LossCurveStop.ImageLimitReached, 0.1, 1));
    }

    private static void Text(string name, int cases, string path, Action read)
    {
        byte[] whole = Encoding.UTF8.GetBytes(File.ReadAllText(path));
        FuzzRun.Files(name, cases, random => ByteMutation.Of(whole, random, isText: true), path, read);
    }
}
