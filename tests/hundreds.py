"""A study of the shape of SimCLR-S2: 339 models, each of a few steps."""

HUNDREDS = """
title: The shape of SimCLR-S2
parameters:
  data: {kind: folder, path: nowhere/bigearthnet, size: 16}
  steps: 2
  labels: {per_class: 5, validation_per_class: 5}
  computing: {device: cpu, precision: fp32, memory_format: contiguous, compile: never, threads: 1}
axes:
  pretraining:
    - {name: region, rate: 0.03}
    - {name: other adam, rate: 0.001}
    - {name: other sgd, rate: 0.1}
  scheme: [{name: balanced, seed: 1}, {name: expanded, seed: 2}]
  fraction: [1, 3, 10, 25, 50, 100]
  network:
    - {name: xception, depth: 8, width: 0.25}
    - {name: inception, depth: 8, width: 0.5}
    - {name: resnet50, depth: 14, width: 0.25}
    - {name: resnet101, depth: 14, width: 0.5}
    - {name: resnet152, depth: 20, width: 0.25}
  start:
    - {name: scratch, views: [{transforms: []}]}
    - {name: imagenet, views: [{transforms: [{kind: horizontal_flip}]}]}
stages:
  pretrain:
    stage: pretrain
    data: ${data}
    backbone: {kind: cifar_resnet, depth: 8, width: 0.25}
    plan:
      steps: ${steps}
      batch_size: 32
      optimizer: {kind: sgd, learning_rate: '${pretraining.rate}'}
    machine: ${computing}
  teacher:
    stage: finetune
    start: '@pretrain'
    data: ${data}
    labels: {per_class: '${fraction}', validation_per_class: 5, seed: '${scheme.seed}'}
    plan: {steps: '${steps}', batch_size: 32}
    machine: ${computing}
  student:
    stage: distill
    teacher: '@teacher'
    data: ${data}
    labels: ${labels}
    student: {kind: cifar_resnet, depth: '${network.depth}', width: '${network.width}'}
    plan: {steps: '${steps}', batch_size: 32}
    machine: ${computing}
  supervised:
    stage: train
    data: ${data}
    labels: {per_class: '${fraction}', validation_per_class: 5, seed: '${scheme.seed}'}
    backbone: {kind: cifar_resnet, depth: '${network.depth}', width: '${network.width}'}
    views: ${start.views}
    plan: {steps: '${steps}', batch_size: 32}
    machine: ${computing}
"""
