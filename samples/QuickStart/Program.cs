using FewStep;

using var model = Model.Open("models/fashion-mnist");
using var images = Images.Open("data/fashion-mnist");
using var metric = Metric.Frechet(images.Test, "models/fashion-mnist-classifier");

Sampler found = model.FindSampler(images.Train, steps: 4);
using var tuned = model.Tune(found, new() { Updates = 12 });

tuned.Sample(seeds: 16).SaveGrid("grid.png");
foreach (var (trained, sampler) in new[] { (model, model.CreateSampler("karras", "euler", 4)), (model, found), (tuned, tuned.Sampler!) })
    Console.WriteLine($"{trained.Name}, {sampler}: {metric.Measure(trained, sampler, seeds: 100, ranges: 3)}");
